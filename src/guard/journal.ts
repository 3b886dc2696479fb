import type { Actor } from '../domain/actor.js';
import type { Transition } from '../domain/audit-entry.js';
import { AccessError } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import type { Room } from '../access/dependencies.js';
import type { Store } from '../store/store.js';

const SYSTEM: Actor = { kind: 'system' };

/** In one change: two milliseconds of the event loop. */
const AT_ONCE = 50;
/** Some twenty megabytes; beyond it sessions are not written down any more, rather than not served. */
const CAPACITY = 20_000;
const RETRY_MS = 1_000;

export interface JournalNeeds {
  readonly store: Pick<Store, 'change'>;
  readonly clock: Clock;
  readonly room: Pick<Room, 'level'>;
  readonly alarm: (cause: unknown) => void;
  /** Called for each entry that is given up. */
  readonly onUnrecorded: () => void;
  /** After a change that met a full disk. */
  readonly retryMs?: number;
}

/**
 * Writes down what guards tell, behind it and in groups: nobody waits for it, and however much there is, there is never more
 * than one change of it under way, so that a revocation stands behind one such change at most. The room that is kept for
 * ending access is not for this.
 */
export class Journal {
  readonly #needs: JournalNeeds;
  #queue: Transition[] = [];
  #writing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(needs: JournalNeeds) {
    this.#needs = needs;
  }

  add(transition: Transition): void {
    if (this.#queue.length >= CAPACITY || this.#isClosing) return this.#needs.onUnrecorded();
    this.#queue.push(transition);
    if (this.#retry === undefined) this.#writing ??= this.#write();
  }

  /** Resolves when what was taken is on disk, or cannot be written now. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Takes nothing more, and tries once more to write what there is. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#writing ??= this.#write();
    await this.#writing;
    clearTimeout(this.#retry);
    for (const _ of this.#queue) this.#needs.onUnrecorded();
    this.#queue = [];
  }

  async #write(): Promise<void> {
    // What comes in the same turn goes into the same change.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      if (!(await this.#writeSome(this.#queue.slice(0, AT_ONCE)))) break;
    }
    this.#writing = null;
  }

  /** False: not now. */
  async #writeSome(some: readonly Transition[]): Promise<boolean> {
    const { store, clock, room, alarm } = this.#needs;
    try {
      if (isScarce(room)) throw new AccessError('storage_full', 'there is no room for entries about sessions');
      await store.change(clock.read().wall, (change) => {
        for (const transition of some) change.record(SYSTEM, transition);
      });
    } catch (error) {
      alarm(error);
      if (error instanceof AccessError) {
        this.#tryLater();
        return false;
      }
      // What cannot be written at all must not hold up the rest.
      for (const _ of some) this.#needs.onUnrecorded();
    }
    this.#queue.splice(0, some.length);
    return true;
  }

  #tryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#writing ??= this.#write();
    }, this.#needs.retryMs ?? RETRY_MS);
    this.#retry.unref();
  }
}

function isScarce(room: Pick<Room, 'level'>): boolean {
  const level = room.level();
  return level === 'endings_only' || level === 'nothing';
}
