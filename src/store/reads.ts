import type { Root } from './environment.js';
import { synchronous } from './synchronous.js';

/** Decides which moment a read sees. One per open store. */
export class Reads {
  readonly #root: Root;
  readonly #refusal: () => Error | null;
  #depth = 0;
  #isChanging = false;

  constructor(root: Root, refusal: () => Error | null) {
    this.#root = root;
    this.#refusal = refusal;
  }

  /** Runs `use` on the newest committed state, while the store is in use. */
  fresh<T>(use: () => T): T {
    const refusal = this.#refusal();
    if (refusal) throw refusal;
    return this.newest(use);
  }

  /**
   * As `fresh`, for what the store itself must know until its last commit, when others are refused already.
   *
   * LMDB hands out one read transaction for each turn of the event loop, so it is given back first. Only a read inside of
   * another one shares its moment: no promise can have resolved in between, so there is no newer change that anybody has
   * been told of.
   */
  newest<T>(use: () => T): T {
    // LMDB would answer with what the change has written and not yet committed.
    if (this.#isChanging) throw new Error('the store was read inside of a change; ask the change itself');
    if (this.#depth === 0) this.#root.resetReadTxn();
    this.#depth += 1;
    try {
      return synchronous(use());
    } finally {
      this.#depth -= 1;
    }
  }

  /** Runs a part of a write transaction. */
  changing<T>(use: () => T): T {
    this.#isChanging = true;
    try {
      return synchronous(use());
    } finally {
      this.#isChanging = false;
    }
  }
}
