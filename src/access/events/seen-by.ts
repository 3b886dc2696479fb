import type { Actor } from '../../domain/actor.js';
import type { PolicySet } from '../../domain/policy.js';
import { couldReview, isOwn, maySeeGrant, maySeeRequest, readsEverything } from '../rights.js';
import type { AccessEvent } from './event.js';

/** Whether somebody may hear of it: exactly those who would find it in the list of such things. */
export function maySeeEvent(actor: Actor, event: AccessEvent, policies: PolicySet): boolean {
  switch (event.type) {
    case 'request.created':
    case 'request.approved':
    case 'request.denied':
    case 'request.withdrawn':
    case 'request.lapsed':
      return maySeeRequest(actor, event.request, policies);
    case 'grant.ends_soon':
    case 'grant.ended':
      return maySeeGrant(actor, event.grant, policies);
    case 'lock.created':
    case 'lock.removed':
      return readsEverything(actor, policies);
    case 'session.opened':
    case 'session.closed':
      return isOwn(actor, event.session, policies) || readsEverything(actor, policies);
    case 'policy.loaded':
      // As for the list of policies: no business of a certificate that nobody claims.
      return actor.kind !== 'subject';
  }
}

/** What somebody wants to hear of what they may; everything that is given must hold. */
export interface EventWish {
  readonly about?: 'requests' | 'grants' | 'locks' | 'sessions' | 'policies' | undefined;
  readonly mine?: boolean | undefined;
  /** Only requests that this very actor could review, or could have. */
  readonly reviewable?: boolean | undefined;
}

/** Whether an event is among those wished for. */
export function isWished(actor: Actor, event: AccessEvent, { about, mine, reviewable }: EventWish, set: PolicySet) {
  const { kind, of } = subjectOf(event);
  return (
    (about === undefined || about === kind) &&
    (!mine || (of !== null && isOwn(actor, of, set))) &&
    (!reviewable || ('request' in event && couldReview(actor, event.request, set)))
  );
}

/** What kind of thing an event is about, and whose. */
function subjectOf(event: AccessEvent) {
  if ('request' in event) return { kind: 'requests', of: event.request } as const;
  if ('grant' in event) return { kind: 'grants', of: event.grant } as const;
  if ('session' in event) return { kind: 'sessions', of: event.session } as const;
  return { kind: 'lock' in event ? 'locks' : 'policies', of: null } as const;
}
