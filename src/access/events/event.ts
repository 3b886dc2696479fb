import type { AuditEntry } from '../../domain/audit-entry.js';
import type { Grant } from '../../domain/grant.js';
import type { Lock } from '../../domain/lock.js';
import type { AccessRequest } from '../../domain/request.js';
import type { Session, SessionEnd } from '../../domain/session.js';
import type { Instant } from '../../domain/time.js';

/** What is told about requests: all but the last is a change; that a request lapses is only a matter of time. */
export const REQUEST_EVENTS = [
  'request.created',
  'request.approved',
  'request.denied',
  'request.withdrawn',
  'request.lapsed',
] as const;
/** What is told about grants. `grant.ended` is told of every end, whether somebody made it or the time came. */
export const GRANT_EVENTS = ['grant.ends_soon', 'grant.ended'] as const;

type RequestEvent = { readonly type: (typeof REQUEST_EVENTS)[number]; readonly request: AccessRequest };
type GrantEvent = { readonly type: (typeof GRANT_EVENTS)[number]; readonly grant: Grant };
type LockEvent = { readonly type: 'lock.created' | 'lock.removed'; readonly lock: Lock };

/** What people are told. Changes are called as in the audit log. */
export type AccessEvent =
  | RequestEvent
  | GrantEvent
  | LockEvent
  | { readonly type: 'session.opened'; readonly session: Session }
  | { readonly type: 'session.closed'; readonly session: Session; readonly end: SessionEnd }
  | { readonly type: 'policy.loaded'; readonly policyDigest: string };

/** An event, with when it was and what names it for good. */
export interface Told {
  /** The number of its change; for what the time brings, its type and the id of what it is about. */
  readonly key: string;
  readonly at: Instant;
  readonly event: AccessEvent;
}

/** The event that a change is; null where nobody is told, or not in this way. */
export function eventOf({ sequence, at, transition }: AuditEntry): Told | null {
  const told = (event: AccessEvent): Told => ({ key: String(sequence), at, event });
  switch (transition.action) {
    case 'request.created':
    case 'request.approved':
    case 'request.denied':
    case 'request.withdrawn':
      return told({ type: transition.action, request: transition.request });
    case 'grant.ended':
      return told({ type: transition.action, grant: transition.grant });
    case 'lock.created':
    case 'lock.removed':
      return told({ type: transition.action, lock: transition.lock });
    case 'session.opened':
      // One that its guard has only told again is nothing new.
      return transition.resumed ? null : told({ type: transition.action, session: transition.session });
    case 'session.closed':
      return told({ type: transition.action, session: transition.session, end: transition.end });
    case 'policy.loaded':
      return told({ type: transition.action, policyDigest: transition.policyDigest });
    case 'review.given':
    case 'grant.created':
    case 'session.cut':
    case 'token.created':
    case 'token.revoked':
    case 'guard.joined':
    case 'guard.left':
    case 'service.started':
    case 'service.stopped':
      return null;
  }
}
