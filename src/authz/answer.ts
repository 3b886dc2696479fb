import type { DecisionRecord } from '../domain/decision-record.js';
import { DENY_REASONS, type Allow, type Decision, type Deny, type DenyReason } from '../domain/decision.js';
import { cureFor, DENY_TEXT, isOutage } from '../domain/deny-text.js';
import type { Instant } from '../domain/time.js';
import { Writer } from './wire.js';

/**
 * The bytes of a CheckResponse. Made in this file alone: an empty CheckResponse, or one whose status is missing, is an
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

/** Carries a decision out. Whatever goes wrong on the way ends in a deny. */
export function toAnswer(decision: Decision, record: DecisionRecord, now: Instant, audience: Audience): Answer {
  try {
    return decision.effect === 'allow' ? encodeAllow(decision, record, now) : encodeDeny(decision, record, audience);
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
  return Answer.bytesOf(answer) ?? Answer.bytesOf(PLAIN_DENIES.condition_error)!;
}

/** All denies that were encoded at start, for whoever decodes them again to be sure. */
export function plainDenies(): readonly Answer[] {
  return Object.values(PLAIN_DENIES);
}

/** The one place where status code 0 is written. It takes what `decide` alone can make. */
function encodeAllow(allow: Allow, record: DecisionRecord, now: Instant): Answer {
  writer.reset();
  writer.message(1, () => writer.varint(1, 0));
  writer.message(3, () => undefined);
  metadata(record, () => {
    text('policy', allow.policy);
    number('ends_at', allow.endsAt);
    number('remaining_ms', Math.max(0, allow.endsAt - now));
  });
  return new Answer(writer.finish());
}

function encodeDeny(deny: Deny, record: DecisionRecord, audience: Audience): Answer {
  writer.reset();
  denied(deny.reason, { record, message: deny.message ?? null, audience });
  metadata(record, () => text('reason', deny.reason));
  return new Answer(writer.finish());
}

interface Refusal {
  readonly record: DecisionRecord | null;
  readonly message: string | null;
  readonly audience: Audience;
}

function denied(reason: DenyReason, { record, message, audience }: Refusal): void {
  writer.message(1, () => {
    writer.varint(1, isOutage(reason) ? UNAVAILABLE : PERMISSION_DENIED);
    writer.string(2, reason);
  });
  writer.message(2, () => {
    writer.message(1, () => writer.varint(1, isOutage(reason) ? 503 : 403));
    header('content-type', audience === 'json' ? 'application/problem+json' : 'text/plain; charset=utf-8');
    header('x-portcullis-reason', reason);
    if (record) header('x-portcullis-decision', record.id);
    writer.string(3, audience === 'json' ? problem(reason, record, message) : plainBody(reason, record, message));
  });
}

function plainBody(reason: DenyReason, record: DecisionRecord | null, message: string | null): string {
  const lines = [`access denied (${reason}): ${DENY_TEXT[reason]}`];
  if (message) lines.push(message);
  if (record?.resource) lines.push(`resource: ${record.resource}`);
  if (record) lines.push(`decision: ${record.id}`);
  const cure = cureFor(reason, record?.resource ?? null);
  if (cure) lines.push(`ask for access: ${cure}`);
  return `${lines.join('\n')}\n`;
}

function problem(reason: DenyReason, record: DecisionRecord | null, message: string | null): string {
  return JSON.stringify({
    type: `urn:portcullis:deny:${reason}`,
    title: 'access denied',
    status: isOutage(reason) ? 503 : 403,
    detail: DENY_TEXT[reason],
    reason,
    ...(message && { message }),
    ...(record?.resource && { resource: record.resource }),
    ...(record && { decision: record.id }),
    ...(cureFor(reason, record?.resource ?? null) && { request: cureFor(reason, record!.resource) }),
  });
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

/** `google.protobuf.Struct` in field 4: what access logs and the guard read. */
function metadata(record: DecisionRecord, more: () => void): void {
  writer.message(4, () => {
    text('decision_id', record.id);
    if (record.subject) text('subject', record.subject);
    if (record.resource) text('resource', record.resource);
    if (record.grantId) text('grant_id', record.grantId);
    if (record.requestId) text('request_id', record.requestId);
    number('as_of', record.asOf);
    more();
  });
}

function text(key: string, value: string): void {
  writer.message(1, () => {
    writer.string(1, key);
    writer.message(2, () => writer.string(3, value));
  });
}

function number(key: string, value: number): void {
  writer.message(1, () => {
    writer.string(1, key);
    writer.message(2, () => writer.double(2, value));
  });
}

const PLAIN_DENIES = Object.fromEntries(
  DENY_REASONS.map((reason) => {
    writer.reset();
    denied(reason, { record: null, message: null, audience: 'text' });
    return [reason, new Answer(writer.finish())];
  }),
) as Record<DenyReason, Answer>;
