import type { Actor } from '../domain/actor.js';
import { actorKey } from '../domain/actor.js';
import type { Canonical } from '../domain/canonical.js';
import { AccessError } from '../domain/errors.js';
import type { Instant } from '../domain/time.js';
import type { Change } from '../store/store.js';

/** A caller's wish that a repeated call does nothing twice. */
export interface Idempotency {
  /** Chosen by the caller; scoped to the actor. */
  readonly key: string;
  /** Digest of what is asked for: the route and the body. */
  readonly bodyDigest: string;
}

/**
 * Does the work of a change once per key: a repetition gets the first result, whatever has happened since, and writes
 * nothing. Record and work commit together.
 *
 * @throws {AccessError} `idempotency_conflict` when the key was used for something else
 */
export function once<T>(change: Change, actor: Actor, wish: Idempotency | null, at: Instant, work: () => T): T {
  if (wish === null) return work();
  const earlier = change.answered(actorKey(actor), wish.key);
  if (earlier) {
    if (earlier.bodyDigest === wish.bodyDigest) return earlier.result as T;
    throw new AccessError(
      'idempotency_conflict',
      `idempotency key ${JSON.stringify(wish.key)} was already used for another call; choose a new one`,
    );
  }
  const result = work();
  change.remember(actorKey(actor), wish.key, { bodyDigest: wish.bodyDigest, result: result as Canonical, at });
  return result;
}
