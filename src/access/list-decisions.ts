import type { Actor } from '../domain/actor.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { DenyReason } from '../domain/decision.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { Cursor, Page } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { maySeeDecision } from './explain.js';
import type { PageWish } from './list-page.js';
import { isOwn } from './rights.js';

/** What a listing is narrowed to; everything that is given must hold. */
export interface DecisionFilter {
  readonly mine?: boolean | undefined;
  readonly effect?: 'allow' | 'deny' | undefined;
  readonly reason?: DenyReason | undefined;
  readonly resource?: ResourceName | undefined;
  readonly subject?: Subject | undefined;
  readonly person?: PersonId | undefined;
  /** Made at this instant or later. */
  readonly since?: Instant | undefined;
}

/** The decisions that the actor may see, newest first. Those of the last moments may not have been written yet. */
export function listDecisions(
  { store, policies }: Pick<Dependencies, 'store' | 'policies'>,
  actor: Actor,
  filter: DecisionFilter,
  { limit, after }: PageWish,
): Page<DecisionRecord> {
  const set = policies.current;
  return store.decisions({
    limit,
    after: after as Cursor | undefined,
    since: filter.since,
    keep: (record) => maySeeDecision(actor, record, set) && matches(record, filter, actor, set),
  });
}

function matches(
  { subject, person, effect, reason, resource }: DecisionRecord,
  filter: DecisionFilter,
  actor: Actor,
  set: PolicySet,
): boolean {
  const own = subject !== null && person !== null && isOwn(actor, { subject, person }, set);
  return (
    (!filter.mine || own) &&
    (filter.effect === undefined || effect === filter.effect) &&
    (filter.reason === undefined || reason === filter.reason) &&
    (filter.resource === undefined || resource === filter.resource) &&
    (filter.subject === undefined || subject === filter.subject) &&
    (filter.person === undefined || person === filter.person)
  );
}
