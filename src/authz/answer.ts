import type { DecisionRecord } from '../domain/decision-record.js';
import { DENY_REASONS, type Allow, type Decision, type Deny, type DenyReason } from '../domain/decision.js';
import { cureFor, denyText, isOutage, isVain, NOT_ADMITTED, type Asking } from '../domain/deny-text.js';
import type { Instant } from '../domain/time.js';
import { Writer } from './wire.js';

/**
 * The bytes of a CheckResponse in its frame. Made in this file alone: an empty CheckResponse, or one whose status is missing, is an
 * allow on the wire.
 */
class Answer {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Of what was not made here: undefined. */
  static bytesOf(answer: unknown): Buffer | undefined {
    return typeof answer === 'object' && answer !== null && #bytes in answer ? answer.#bytes : undefined;
  }
}

export type { Answer };

/** In which form a refusal is read. */
export type Audience = 'text' | 'json' | 'tcp';

/** gRPC status codes, as in google.rpc.Code. Envoy takes 0 for OK and everything else for a deny. */
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

const writer = new Writer();

/** Bytes in front of a CheckResponse. */
const FRAME = 5;

/** What has been written, with its frame. */
function framed(): Buffer {
  const bytes = writer.finish();
  bytes[0] = 0;
  bytes.writeUInt32BE(bytes.length - FRAME, 1);
  return bytes;
}

/** Carries a decision out. Whatever goes wrong on the way ends in a deny. */
export function toAnswer(
  decision: Decision,
  record: DecisionRecord,
  now: Instant,
  audience: Audience,
  asking: Asking = {},
): Answer {
  try {
    if (decision.effect === 'allow') return encodeAllow(decision, record, now);
    return encodeDeny(decision, { record, message: decision.message ?? null, audience, asking });
  } catch {
    return plainDeny('condition_error');
  }
}

/** A deny that was encoded before anything could go wrong. */
export function plainDeny(reason: DenyReason): Answer {
  return PLAIN_DENIES[reason];
}

/** The serializer of the gRPC method: what was not made here goes out as a deny. */
export function serializeAnswer(answer: Answer): Buffer {
  return frameOf(answer).subarray(FRAME);
}

/** The same as it goes over the wire: one byte that tells compression, four of the length, the CheckResponse. */
export function frameOf(answer: Answer): Buffer {
  return Answer.bytesOf(answer) ?? Answer.bytesOf(PLAIN_DENIES.condition_error)!;
}

/** All denies that were encoded at start, for whoever decodes them again to be sure. */
export function plainDenies(): readonly Answer[] {
  return Object.values(PLAIN_DENIES);
}

/** The one place where status code 0 is written. It takes what `decide` alone can make. */
function encodeAllow(allow: Allow, record: DecisionRecord, now: Instant): Answer {
  writer.reset(FRAME);
  const status = writer.begin(1);
  writer.varint(1, 0);
  writer.end(status);
  writer.end(writer.begin(3));
  const fields = writer.begin(4);
  metadata(record);
  text('policy', allow.policy);
  number('ends_at', allow.endsAt);
  number('remaining_ms', Math.max(0, allow.endsAt - now));
  writer.end(fields);
  return new Answer(framed());
}

function encodeDeny({ reason }: Deny, refusal: Refusal & { readonly record: DecisionRecord }): Answer {
  writer.reset(FRAME);
  denied(reason, refusal);
  const fields = writer.begin(4);
  metadata(refusal.record);
  text('reason', reason);
  writer.end(fields);
  return new Answer(framed());
}

interface Refusal {
  readonly record: DecisionRecord | null;
  readonly message: string | null;
  readonly audience: Audience;
  readonly asking: Asking;
}

function denied(reason: DenyReason, refusal: Refusal): void {
  const { record, audience } = refusal;
  writer.message(1, () => {
    writer.varint(1, isOutage(reason) ? UNAVAILABLE : PERMISSION_DENIED);
    writer.string(2, reason);
  });
  writer.message(2, () => {
    writer.message(1, () => writer.varint(1, isOutage(reason) ? 503 : 403));
    header('content-type', audience === 'json' ? 'application/problem+json' : 'text/plain; charset=utf-8');
    header('x-portcullis-reason', reason);
    if (record) header('x-portcullis-decision', record.id);
    writer.string(3, audience === 'json' ? problem(reason, refusal) : plainBody(reason, refusal));
  });
}

function plainBody(reason: DenyReason, { record, message, asking }: Refusal): string {
  const lines = [`access denied (${reason}): ${denyText(reason, asking)}`];
  if (message) lines.push(message);
  if (isVain(reason, asking)) lines.push(NOT_ADMITTED);
  if (record?.resource) lines.push(`resource: ${record.resource}`);
  if (record) lines.push(`decision: ${record.id}`);
  const waiting = waitingFor(reason, record);
  if (waiting) lines.push(`waits: ${waiting}`);
  if (asking.draft) lines.push(`draft: ${asking.draft.id}`);
  const cure = cureFor(reason, record?.resource ?? null, asking);
  if (cure) lines.push(`ask for access: ${cure}`);
  return `${lines.join('\n')}\n`;
}

function problem(reason: DenyReason, { record, message, asking }: Refusal): string {
  const cure = cureFor(reason, record?.resource ?? null, asking);
  const more = message || (isVain(reason, asking) && NOT_ADMITTED);
  return JSON.stringify({
    type: `urn:portcullis:deny:${reason}`,
    title: 'access denied',
    status: isOutage(reason) ? 503 : 403,
    detail: denyText(reason, asking),
    reason,
    ...(more && { message: more }),
    ...(record?.resource && { resource: record.resource }),
    ...(record && { decision: record.id }),
    ...(waitingFor(reason, record) && { waits: waitingFor(reason, record) }),
    ...(asking.draft && { draft: asking.draft.id }),
    ...(cure && { request: cure }),
  });
}

/** The access request that still waits. */
function waitingFor(reason: DenyReason, record: DecisionRecord | null): string | null {
  return reason === 'pending_approval' ? (record?.requestId ?? null) : null;
}

/** `envoy.config.core.v3.HeaderValueOption`, overwriting whatever a client or upstream put there. */
function header(name: string, value: string): void {
  const OVERWRITE_IF_EXISTS_OR_ADD = 2;
  writer.message(2, () => {
    writer.message(1, () => {
      writer.string(1, name);
      writer.string(2, value);
    });
    writer.varint(3, OVERWRITE_IF_EXISTS_OR_ADD);
  });
}

/** Of the `google.protobuf.Struct` in field 4, which access logs and the guard read, what every answer has. */
function metadata(record: DecisionRecord): void {
  text('decision_id', record.id);
  if (record.subject) text('subject', record.subject);
  if (record.resource) text('resource', record.resource);
  if (record.grantId) text('grant_id', record.grantId);
  if (record.requestId) text('request_id', record.requestId);
  number('as_of', record.asOf);
}

function text(key: string, text: string): void {
  const entry = writer.begin(1);
  writer.string(1, key);
  const value = writer.begin(2);
  writer.string(3, text);
  writer.end(value);
  writer.end(entry);
}

function number(key: string, number: number): void {
  const entry = writer.begin(1);
  writer.string(1, key);
  const value = writer.begin(2);
  writer.double(2, number);
  writer.end(value);
  writer.end(entry);
}

const PLAIN_DENIES = Object.fromEntries(
  DENY_REASONS.map((reason) => {
    writer.reset(FRAME);
    denied(reason, { record: null, message: null, audience: 'text', asking: {} });
    return [reason, new Answer(framed())];
  }),
) as Record<DenyReason, Answer>;
