import {
  ageOf,
  conclude,
  look,
  MAX_AGE_MS,
  type CheckDependencies,
  type Checked,
  type Looked,
} from '../access/check.js';
import type { Drafts } from '../access/drafts.js';
import type { Holds } from '../access/hold.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { isCurable, type Asking } from '../domain/deny-text.js';
import { deny, type DenyReason } from '../domain/decision.js';
import type { DecisionId } from '../domain/ids.js';
import { askableActions } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import { plainDeny, toAnswer, type Answer, type Audience } from './answer.js';
import { readCheckRequest, type CheckRequest } from './check-request.js';
import { HeldAnswer } from './held-answer.js';
import { toAsked } from './question.js';
import { MalformedError } from './wire.js';

export interface CoreDependencies extends CheckDependencies {
  readonly identifier: Identifier;
  readonly gate: string | null;
  /** Hears of every answer: the reason of a deny, null for an allow, and how long it took. */
  readonly observe?: (reason: DenyReason | null, seconds: number) => void;
  /** Hears of every allow, and when the certificate ends that it lets in. */
  readonly allowed?: (decision: DecisionId, certificateUntil: Instant) => void;
  /** What refusals leave behind; without it they leave nothing. */
  readonly drafts?: Pick<Drafts, 'note'>;
  /** Where checks wait for an approval; without it none does. */
  readonly holds?: Pick<Holds, 'hold'>;
}

/** Bytes from Envoy to bytes for Envoy. Synchronous, but for `strict` logging and for checks that are held. */
export type Core = (
  bytes: Buffer,
  namedByFilter: readonly string[],
  /** Milliseconds that whoever asked waits; null when they do not say. */
  patience?: number | null,
) => Answer | Promise<Answer> | HeldAnswer;

export function createCore(needed: CoreDependencies): Core {
  return (bytes, namedByFilter, patience = null) => {
    const asked = ask(needed, bytes, namedByFilter);
    const looked = look(needed, asked.question);
    if (looked.decision.effect === 'allow') return give(needed, asked, conclude(needed, asked, looked));
    const again = () => ask(needed, bytes, namedByFilter);
    const held = needed.holds?.hold(asked, looked, { patience, again }) ?? null;
    if (held === null || typeof held === 'string')
      return give(needed, asked, conclude(needed, asked, withMessage(looked, held)));
    const answered = held.checked.then((checked) => give(needed, asked, checked));
    return new HeldAnswer(answered, held.longest, () => held.cancel());
  };
}

type AskedBy = ReturnType<typeof ask>;

function give(needed: CoreDependencies, asked: AskedBy, checked: Checked): Answer | Promise<Answer> {
  if (checked.decision.effect === 'allow' && 'is' in asked.question.subject)
    needed.allowed?.(checked.record.id, asked.question.subject.validUntil);
  if (checked.recorded === undefined) return answer(needed, checked, asked.audience);
  return checked.recorded.then(
    () => answer(needed, checked, asked.audience),
    (error: unknown) => {
      needed.alarm(error);
      return plainDeny('storage_failed');
    },
  );
}

function withMessage(looked: Looked, message: string | null): Looked {
  const { decision } = looked;
  if (message === null || decision.effect === 'allow') return looked;
  return { ...looked, decision: { ...decision, message: decision.message ?? message } };
}

function ask(needed: CoreDependencies, bytes: Buffer, namedByFilter: readonly string[]): ReturnType<typeof toAsked> {
  try {
    const request: CheckRequest = readCheckRequest(bytes);
    const { wall } = needed.clock.read();
    const { identifier, gate } = needed;
    return toAsked(request, namedByFilter, { policies: needed.policies.current, identifier, gate, now: wall });
  } catch (error) {
    if (!(error instanceof MalformedError)) needed.alarm(error);
    const unreadable = deny(error instanceof MalformedError ? 'malformed' : 'condition_error');
    return {
      question: { subject: unreadable, resource: unreadable, actions: unreadable },
      source: null,
      request: null,
      audience: 'text',
    };
  }
}

/** After a pause between decision and answer (or a slow log) an allow is too old to be given; a deny never is. */
function answer(needed: CoreDependencies, { decision, record, now }: Checked, audience: Audience): Answer {
  const age = ageOf(needed, now);
  const given = decision.effect === 'deny' || age <= MAX_AGE_MS;
  needed.observe?.(given ? record.reason : 'stale', Math.min(age, MAX_OBSERVED_MS) / 1_000);
  return given ? toAnswer(decision, record, now.wall, audience, askingAfter(needed, record)) : plainDeny('stale');
}

/** What the refusal leaves to ask for. A draft is only noted here; that it cannot be is no reason to answer otherwise. */
function askingAfter({ drafts, policies, alarm }: CoreDependencies, record: DecisionRecord): Asking {
  const { effect, reason, subject, resource, actions } = record;
  if (effect === 'allow' || reason === null || !isCurable(reason)) return NOTHING;
  try {
    const draft = drafts?.note(record) ?? null;
    if (draft !== null || subject === null || resource === null) return { draft };
    return { admitted: askableActions(policies.current, { subject, resource, actions }) };
  } catch (error) {
    alarm(error);
    return NOTHING;
  }
}

const NOTHING: Asking = {};

/** Durations that cannot be told count as a minute. */
const MAX_OBSERVED_MS = 60_000;
