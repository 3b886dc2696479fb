import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { LockId } from '../domain/ids.js';
import { isInForce, type Lock } from '../domain/lock.js';
import type { Instant } from '../domain/time.js';
import type { Dependencies } from './dependencies.js';
import { pageOfList, type ListedPage, type PageWish } from './list-page.js';
import { assertRole } from './rights.js';

/** A lock with what follows from the clock. */
export interface LockStanding {
  readonly lock: Lock;
  readonly state: 'in_force' | 'expired';
}

/** What a listing is narrowed to. */
export interface LockFilter {
  readonly state?: LockStanding['state'] | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'>;

/**
 * All locks, newest first, expired ones that nobody has removed included. Whoever is hit by one learns of it in the
 * decision; the list is for those who look after locks, and for auditors.
 *
 * @throws {AccessError} `not_permitted`
 */
export function listLocks(needed: Needed, actor: Actor, filter: LockFilter, page: PageWish): ListedPage<LockStanding> {
  assertMayRead(needed, actor);
  const all = standings(needed).filter(({ state }) => filter.state === undefined || state === filter.state);
  return pageOfList(all, page, ({ lock }) => lock.id, 'descending');
}

/**
 * One lock.
 *
 * @throws {AccessError} `not_permitted`, `not_found`
 */
export function findLock(needed: Needed, actor: Actor, id: LockId): LockStanding {
  const found = lockIfThere(needed, actor, id);
  if (found) return found;
  throw new AccessError('not_found', `no lock ${JSON.stringify(id)}`);
}

/**
 * One lock, if it is still there.
 *
 * @throws {AccessError} `not_permitted`
 */
export function lockIfThere(needed: Needed, actor: Actor, id: LockId): LockStanding | undefined {
  assertMayRead(needed, actor);
  return standings(needed).find(({ lock }) => lock.id === id);
}

/** How a lock stands at an instant. */
export function lockStanding(lock: Lock, now: Instant): LockStanding {
  return { lock, state: isInForce(lock, now) ? 'in_force' : 'expired' };
}

// Read with the whole set, which is checked against its header: a list that lacks a lost lock would be a lie.
function standings({ store, clock }: Needed): readonly LockStanding[] {
  const now = clock.read().wall;
  return store.read((snapshot) => snapshot.locks()).map((lock) => lockStanding(lock, now));
}

function assertMayRead({ policies }: Needed, actor: Actor): void {
  assertRole(actor, ['operator', 'auditor'], 'reading locks', policies.current);
}
