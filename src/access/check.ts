import { decide, type Facts, type Question } from '../domain/decide.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { deny, type Decision, type DenyReason } from '../domain/decision.js';
import { AccessError } from '../domain/errors.js';
import type { Grant } from '../domain/grant.js';
import type { Lock } from '../domain/lock.js';
import type { ResourceName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import type { AccessRequest } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import type { Instant, Reading } from '../domain/time.js';
import { personBehind } from '../domain/who.js';
import { DamagedError, type Snapshot } from '../store/store.js';
import type { Dependencies, PolicySource } from './dependencies.js';
import type { Recorder } from './recorder.js';

/** One check as the door puts it: the question, and what is written down beside the decision. */
export interface Asked {
  readonly question: Question;
  /** Where the client connected from. */
  readonly source: string | null;
  /** `GET /path` without the query. */
  readonly request: string | null;
}

/** A decision and what it was made with. */
export interface Looked {
  readonly decision: Decision;
  /** Number of the last change that it knew. */
  readonly asOf: number;
  readonly now: Reading;
}

export interface Checked {
  readonly decision: Decision;
  readonly record: DecisionRecord;
  /** The time the decision was made with. */
  readonly now: Reading;
  /** What the answer must wait for, in `strict` logging. */
  readonly recorded: Promise<void> | undefined;
}

export interface CheckDependencies extends Pick<Dependencies, 'store' | 'clock' | 'policies' | 'newId' | 'room'> {
  readonly recorder: Recorder;
  /** Why the service answers nothing but denies; null while it serves. */
  readonly closed: () => DenyReason | null;
  /** Hears of damage and failures. The check itself is denied. */
  readonly alarm: (cause: unknown) => void;
}

/** A decision is worth only so much time: after a pause (VM, SIGSTOP, garbage) it is a deny. */
export const MAX_AGE_MS = 150;

/**
 * Decides one check on a fresh snapshot and records the decision. Synchronous up to the answer, so that nothing can
 * come between the facts and the decision; never throws.
 */
export function check(needed: CheckDependencies, asked: Asked): Checked {
  return conclude(needed, asked, look(needed, asked.question));
}

/** Decides on a fresh snapshot. Nobody has been told yet, and nothing is recorded. */
export function look(needed: CheckDependencies, question: Question): Looked {
  const now = needed.clock.read();
  return { ...decideNow(needed, question, now), now };
}

/** Makes a decision one that is given: records it, at once after it was made. */
export function conclude(needed: CheckDependencies, asked: Asked, { decision, asOf, now }: Looked): Checked {
  const kept = keepable(needed, decision, now);
  const record = recordOf(kept, asked, {
    now: now.wall,
    asOf,
    id: needed.newId('dec', now.wall),
    policies: needed.policies,
  });
  return { decision: kept, record, now, recorded: needed.recorder.add(record) };
}

/** How long ago `now` was read, in milliseconds; endless when the clock has become suspect since. */
export function ageOf(needed: Pick<CheckDependencies, 'clock'>, now: Reading): number {
  const { mono, trusted } = needed.clock.read();
  return trusted ? mono - now.mono : Infinity;
}

function decideNow(needed: CheckDependencies, question: Question, now: Reading): { decision: Decision; asOf: number } {
  const closed = needed.closed();
  if (closed !== null) return { decision: deny(closed), asOf: 0 };
  try {
    return needed.store.read((snapshot) => {
      const facts = factsFor(question, snapshot, needed.policies.current, now.wall);
      return { decision: decide(question, facts, now), asOf: snapshot.sequence };
    });
  } catch (error) {
    needed.alarm(error);
    const storage = error instanceof DamagedError || error instanceof AccessError;
    return { decision: deny(storage ? 'storage_failed' : 'condition_error'), asOf: 0 };
  }
}

function factsFor({ subject, resource }: Question, snapshot: Snapshot, policies: PolicySet, now: Instant): Facts {
  if ('effect' in subject || 'effect' in resource) return { policies, locks: [], grants: [], pending: [] };
  return new KnownFacts({ subject: subject.is, resource: resource.is, snapshot, policies, now });
}

interface About {
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly snapshot: Snapshot;
  readonly now: Instant;
}

/** What the snapshot says about somebody and something known. */
class KnownFacts implements Facts {
  readonly policies: PolicySet;
  readonly locks: readonly Lock[];
  readonly grants: readonly Grant[];
  readonly #of: About;

  constructor(of: About & Pick<Facts, 'policies'>) {
    this.#of = of;
    this.policies = of.policies;
    this.locks = of.snapshot.locks();
    this.grants = of.snapshot.grantsFor(of.subject, of.resource, of.now);
  }

  /** Asked for only when no grant carries the request. */
  get pending(): readonly AccessRequest[] {
    const { snapshot, subject, resource, now } = this.#of;
    return snapshot.pendingFor(subject, resource, now);
  }
}

/** What cannot be recorded, or has become too old while it was made, is not allowed. Denies never wait for the log. */
function keepable({ recorder, room, clock }: CheckDependencies, decision: Decision, now: Reading): Decision {
  if (decision.effect === 'deny') return decision;
  if (ageOf({ clock }, now) > MAX_AGE_MS) return deny('stale');
  if (recorder.isFull()) return deny('overloaded');
  return room.level() === 'nothing' ? deny('storage_failed', { message: 'the disk of the service is full' }) : decision;
}

function recordOf(
  decision: Decision,
  { question, source, request }: Asked,
  { now, asOf, id, policies }: { now: Instant; asOf: number; id: DecisionRecord['id']; policies: PolicySource },
): DecisionRecord {
  const subject = 'is' in question.subject ? question.subject.is : null;
  const allowed = decision.effect === 'allow';
  // In the order of their names, in which they are also written: see `canonicalJson`.
  return {
    actions: 'effect' in question.actions ? [] : question.actions,
    asOf,
    at: now,
    effect: decision.effect,
    grantId: decision.grantId ?? null,
    id,
    lockId: allowed ? null : (decision.lockId ?? null),
    message: allowed ? null : (decision.message ?? null),
    person: subject && personBehind(policies.current.directory, subject),
    policy: allowed ? decision.policy : null,
    reason: allowed ? null : decision.reason,
    request,
    requestId: decision.requestId ?? null,
    resource: 'is' in question.resource ? question.resource.is : null,
    source,
    subject,
  };
}
