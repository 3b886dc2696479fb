import type { Lock } from '../domain/lock.js';
import { frozen } from './decode-cache.js';
import type { LockSeal } from './head.js';
import * as keys from './keys.js';
import { LockSet } from './lock-set.js';
import type { Records } from './records.js';

/**
 * The locks, loaded and checked as a whole, and kept for as long as the head record seals this very set. The head is
 * authentic and of the snapshot that asks; equal seals mean equal bytes of every lock, so what is kept is what is there.
 */
export class LockCache {
  readonly #records: Records;
  #set: LockSet | null = null;

  constructor(records: Records) {
    this.#records = records;
  }

  /** @throws {DamagedError} when the locks in the store are not those that were sealed */
  load(seal: LockSeal): LockSet {
    if (this.#set === null || !this.#set.matches(seal)) this.#set = this.loadAfresh(seal);
    return this.#set;
  }

  /** Reads every lock again, as checks of the whole database do. */
  loadAfresh(seal: LockSeal): LockSet {
    const kept = [...this.#records.foundIn(keys.all(keys.KIND.lock))].map(({ key, record }) => ({
      key,
      record,
      lock: frozen(this.#records.codec.decode(key, record)) as unknown as Lock,
    }));
    return LockSet.checked(kept, seal);
  }
}
