import { createHash } from 'node:crypto';
import type { Lock } from '../domain/lock.js';
import type { LockSeal } from './head.js';
import type { Key } from './keys.js';
import { DamagedError } from './store.js';

/** A lock and the very bytes it was kept as. */
export interface KeptLock {
  readonly key: Key;
  readonly record: Buffer;
  readonly lock: Lock;
}

/**
 * All locks at one moment, in the order of their keys. A lock is a deny, so losing one would be a hole: the set as a
 * whole is sealed in the head record, and a set that does not match the seal is damage.
 */
export class LockSet {
  readonly locks: readonly Lock[];
  readonly seal: LockSeal;
  readonly #kept: readonly KeptLock[];

  private constructor(kept: readonly KeptLock[]) {
    this.#kept = kept;
    this.locks = Object.freeze(kept.map(({ lock }) => lock));
    this.seal = { count: kept.length, digest: digestOf(kept) };
  }

  static readonly empty = new LockSet([]);

  /** @throws {DamagedError} when these are not the locks that were sealed */
  static checked(kept: readonly KeptLock[], seal: LockSeal): LockSet {
    const set = new LockSet(kept);
    if (!set.matches(seal)) {
      throw new DamagedError(
        `the locks do not match their header: ${kept.length} found, ${seal.count} expected; restore a backup`,
      );
    }
    return set;
  }

  matches(seal: LockSeal): boolean {
    return this.seal.count === seal.count && this.seal.digest === seal.digest;
  }

  with(added: KeptLock): LockSet {
    return new LockSet([...this.without(added.key).#kept, added].sort((a, b) => a.key.compare(b.key)));
  }

  without(key: Key): LockSet {
    return new LockSet(this.#kept.filter((kept) => !kept.key.equals(key)));
  }
}

/** Over length-prefixed keys and records, so that no other set has the same bytes. */
function digestOf(kept: readonly KeptLock[]): string {
  const hash = createHash('sha256');
  const length = Buffer.alloc(4);
  for (const { key, record } of kept) {
    for (const part of [key, record]) {
      length.writeUInt32BE(part.length);
      hash.update(length).update(part);
    }
  }
  return hash.digest('hex');
}
