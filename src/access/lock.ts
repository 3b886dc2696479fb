import { printActor, type Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { LockId } from '../domain/ids.js';
import type { Lock, LockTarget } from '../domain/lock.js';
import { plainText } from '../domain/text.js';
import { after, type Duration } from '../domain/time.js';
import type { Dependencies } from './dependencies.js';
import { doubtAbout } from './lock-target.js';
import { once, type Idempotency } from './once.js';
import { assertRole } from './rights.js';
import { trustedNow } from './trusted-now.js';
import { isOn } from './under-lock.js';

export interface LockWish {
  readonly target: LockTarget;
  readonly reason: string;
  /** What whoever it hits is told. */
  readonly message?: string | undefined;
  /** Default: until it is removed. */
  readonly duration?: Duration | undefined;
  /** Also where nothing is known of that person or resource: one can lock what is about to appear. */
  readonly unknownOk?: boolean | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies' | 'room'>;

/**
 * Denies whatever the target names from the moment the promise resolves, whatever grants there are. A person or a resource of
 * which nothing is known is most likely misspelt, and what was meant stays open: that is refused unless the caller insists.
 * A subject is locked in any case, since certificates of every name may be about (`doubtAbout` says so).
 *
 * @throws {AccessError} `not_permitted`, `invalid_request`, `unknown_target`, and `clock_suspect` for a lock with an end: it could be over
 * the moment the clock is right
 */
export async function createLock(
  { store, clock, policies, newId, room }: Needed & Pick<Dependencies, 'newId'>,
  actor: Actor,
  { target, reason, message, duration, unknownOk = false }: LockWish,
  idempotency: Idempotency | null,
): Promise<Lock> {
  assertRole(actor, ['operator'], 'locking', policies.current);
  const { wall: now, trusted } = clock.read();
  if (duration !== undefined && !trusted)
    throw new AccessError(
      'clock_suspect',
      'the clock of the service is suspect, so nobody knows when a lock would end; lock without a duration',
    );
  const why = plainText('reason', reason);
  if (why === '')
    throw new AccessError('invalid_request', 'a lock needs a reason, for those who will ask whether it can go');
  const told = plainText('message', message ?? '');
  return room.ending(() =>
    store.change(now, (change) =>
      once(change, actor, idempotency, now, () => {
        const doubt = unknownOk || target.kind === 'subject' ? null : doubtAbout(target, policies.current, change);
        if (doubt !== null) throw new AccessError('unknown_target', doubt);
        const lock: Lock = {
          id: newId('lock', now),
          target,
          reason: why,
          message: told,
          createdAt: now,
          createdBy: printActor(actor),
          expiresAt: duration === undefined ? null : after(now, duration),
          revision: change.nextSequence,
        };
        change.record(actor, { action: 'lock.created', lock });
        return lock;
      }),
    ),
  );
}

/**
 * Takes a lock away. Grants that it suspended are usable again if they have not ended; none that ended comes back. Nobody
 * frees themselves: who is under the lock needs another operator, or the host, who can do so whatever the clock says.
 *
 * @throws {AccessError} `not_permitted`, `not_found`, `clock_suspect`
 */
export async function removeLock(
  { store, clock, policies }: Needed,
  actor: Actor,
  id: LockId,
  idempotency: Idempotency | null,
): Promise<Lock> {
  assertRole(actor, ['operator'], 'unlocking', policies.current);
  const now = actor.kind === 'host' ? clock.read().wall : trustedNow(clock);
  return store.change(now, (change) =>
    once(change, actor, idempotency, now, () => {
      const lock = change.lock(id);
      if (!lock) throw new AccessError('not_found', `no lock ${JSON.stringify(id)}`);
      if (isOn(lock, actor, policies.current.directory))
        throw new AccessError(
          'not_permitted',
          `lock ${id} is on ${printActor(actor)}: another operator can take it away, or whoever can open the admin socket`,
        );
      change.record(actor, { action: 'lock.removed', lock });
      return lock;
    }),
  );
}
