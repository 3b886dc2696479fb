import { printActor, type Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import { grantStateOf, type Grant, type GrantEnd } from '../domain/grant.js';
import type { GrantId } from '../domain/ids.js';
import { plainText } from '../domain/text.js';
import type { Instant } from '../domain/time.js';
import type { Change } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { once, type Idempotency } from './once.js';
import { assertRevision } from './request.js';
import { isOwn, mayRevoke, maySeeGrant } from './rights.js';

export interface Ending {
  readonly id: GrantId;
  /** Why, in the actor's words. */
  readonly why?: string | undefined;
  readonly ifRevision?: number | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies' | 'room'>;

/**
 * Ends a grant for good, by somebody who looks after it. When the promise has resolved, the change is on disk and every
 * later check denies. Of a grant that has already ended nothing changes.
 *
 * @throws {AccessError} `not_found`, `not_permitted`, `precondition_failed`
 */
export async function revokeGrant(
  needed: Needed,
  actor: Actor,
  ending: Ending,
  idempotency: Idempotency | null,
): Promise<Grant> {
  return endGrant(needed, actor, ending, idempotency, (grant) => {
    if (mayRevoke(actor, grant, needed.policies.current)) return 'revoked';
    throw new AccessError(
      'not_permitted',
      `revoking ${grant.id} needs the role operator or a review that approved it; its holder can return it`,
    );
  });
}

/**
 * Ends a grant for good, by its holder. Otherwise as `revokeGrant`.
 *
 * @throws {AccessError} `not_found`, `not_permitted`, `precondition_failed`
 */
export async function returnGrant(
  needed: Needed,
  actor: Actor,
  ending: Ending,
  idempotency: Idempotency | null,
): Promise<Grant> {
  return endGrant(needed, actor, ending, idempotency, (grant) => {
    if (isOwn(actor, grant, needed.policies.current)) return 'returned';
    throw new AccessError('not_permitted', `only ${grant.person} can return ${grant.id}; others revoke it`);
  });
}

/** Writes the end of a grant; the one place that does. */
export function recordEnd(
  change: Change,
  actor: Actor,
  grant: Grant,
  reason: GrantEnd['reason'],
  at: Instant,
  why: string,
): Grant {
  const ended: Grant = { ...grant, end: { reason, at, by: printActor(actor), why }, revision: change.nextSequence };
  change.record(actor, { action: 'grant.ended', grant: ended });
  return ended;
}

// Never asks whether the clock is trusted or the disk is full: ending access must be possible longest.
async function endGrant(
  { store, clock, policies, room }: Needed,
  actor: Actor,
  { id, why, ifRevision }: Ending,
  idempotency: Idempotency | null,
  reasonFor: (grant: Grant) => GrantEnd['reason'],
): Promise<Grant> {
  const now = clock.read().wall;
  return room.ending(() =>
    store.change(now, (change) =>
      once(change, actor, idempotency, now, () => {
        const grant = change.grant(id);
        if (!grant || !maySeeGrant(actor, grant, policies.current))
          throw new AccessError('not_found', `no grant ${JSON.stringify(id)}`);
        const reason = reasonFor(grant);
        assertRevision(grant, ifRevision);
        if (grant.end || grantStateOf(grant, now).state === 'ended') return grant;
        return recordEnd(change, actor, grant, reason, now, plainText('reason', why ?? ''));
      }),
    ),
  );
}
