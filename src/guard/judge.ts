import { standingOf, type Standing } from '../access/standing.js';
import type { DenyReason } from '../domain/decision.js';
import type { Grant } from '../domain/grant.js';
import type { GrantId } from '../domain/ids.js';
import type { SessionEndReason } from '../domain/session.js';
import type { Shared } from './shared.js';

/** How a grant stands that a guard has named; `grant` is undefined for one that there is not. */
export interface Judgement {
  readonly grant: Grant | undefined;
  readonly standing: Standing;
  /** The last change that was seen. */
  readonly sequence: number;
}

const UNKNOWN: Standing = { stands: false, reason: 'no_grant', instead: null };

/** Judges on a fresh snapshot. What cannot be found out stands for nothing. */
export function judge({ store, policies, clock, alarm }: Shared, id: GrantId | null): Judgement {
  try {
    return store.read((snapshot) => {
      const grant = id === null ? undefined : snapshot.grant(id);
      const judging = { snapshot, policies: policies.current, now: clock.read().wall };
      return { grant, standing: grant ? standingOf(grant, judging) : UNKNOWN, sequence: snapshot.sequence };
    });
  } catch (error) {
    alarm(error);
    return { grant: undefined, standing: UNKNOWN, sequence: 0 };
  }
}

/** What is told of a session that ends for this reason. */
export function endReasonOf(reason: DenyReason): SessionEndReason {
  switch (reason) {
    case 'expired':
    case 'unused':
    case 'returned':
    case 'revoked':
    case 'exhausted':
    case 'transferred':
    case 'policy_changed':
    case 'locked':
      return reason;
    case 'unknown_resource':
    case 'denied_by_policy':
    case 'out_of_scope':
      return 'policy_changed';
    default:
      return 'cut';
  }
}
