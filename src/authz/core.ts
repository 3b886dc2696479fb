import { ageOf, check, MAX_AGE_MS, type CheckDependencies, type Checked } from '../access/check.js';
import { deny, type DenyReason } from '../domain/decision.js';
import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import { plainDeny, toAnswer, type Answer, type Audience } from './answer.js';
import { readCheckRequest, type CheckRequest } from './check-request.js';
import { toAsked } from './question.js';
import { MalformedError } from './wire.js';

export interface CoreDependencies extends CheckDependencies {
  readonly identifier: Identifier;
  readonly gate: string | null;
  /** Hears of every answer: the reason of a deny, null for an allow, and how long it took. */
  readonly observe?: (reason: DenyReason | null, seconds: number) => void;
  /** Hears of every allow, and when the certificate ends that it lets in. */
  readonly allowed?: (decision: DecisionId, certificateUntil: Instant) => void;
}

/** Bytes from Envoy to bytes for Envoy. Synchronous, but for `strict` logging. */
export type Core = (bytes: Buffer, namedByFilter: readonly string[]) => Answer | Promise<Answer>;

export function createCore(needed: CoreDependencies): Core {
  return (bytes, namedByFilter) => {
    const asked = ask(needed, bytes, namedByFilter);
    const checked = check(needed, asked);
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
  };
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
  return given ? toAnswer(decision, record, now.wall, audience) : plainDeny('stale');
}

/** Durations that cannot be told count as a minute. */
const MAX_OBSERVED_MS = 60_000;
