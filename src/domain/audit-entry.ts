import type { Actor } from './actor.js';
import type { Grant } from './grant.js';
import type { Lock } from './lock.js';
import type { AccessRequest } from './request.js';
import type { Review } from './review.js';
import type { GuardName, Session, SessionEnd } from './session.js';
import type { Instant } from './time.js';
import type { Token } from './token.js';

/**
 * One transition of state, carrying the whole state that it leads to. A store writes state from transitions and from
 * nothing else, so that each transition has its entry, each entry its transition, and replaying the entries gives
 * the state again.
 */
export type Transition =
  | {
      readonly action: 'request.created' | 'request.approved' | 'request.denied' | 'request.withdrawn';
      readonly request: AccessRequest;
    }
  | { readonly action: 'review.given'; readonly review: Review }
  | { readonly action: 'grant.created' | 'grant.ended'; readonly grant: Grant }
  | { readonly action: 'lock.created' | 'lock.removed'; readonly lock: Lock }
  | { readonly action: 'token.created' | 'token.revoked'; readonly token: Token }
  | { readonly action: 'guard.joined' | 'guard.left'; readonly guard: GuardName }
  | {
      readonly action: 'session.opened';
      readonly session: Session;
      /** Its guard told it anew, after a restart of the service say: it had begun before. */
      readonly resumed: boolean;
    }
  /** Somebody wants it cut. Its end follows as an entry of its own. */
  | { readonly action: 'session.cut'; readonly session: Session; readonly why: string }
  | { readonly action: 'session.closed'; readonly session: Session; readonly end: SessionEnd }
  | { readonly action: 'service.started'; readonly version: string; readonly policyDigest: string }
  | { readonly action: 'service.stopped' }
  | { readonly action: 'policy.loaded'; readonly policyDigest: string };

/** One append-only record of one change: who, what, when, and the state it led to. */
export interface AuditEntry {
  readonly v: 1;
  /** Place in the one order of all changes, from 1, without gaps. */
  readonly sequence: number;
  readonly at: Instant;
  readonly actor: Actor;
  readonly transition: Transition;
}
