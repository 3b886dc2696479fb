import type { Canonical } from '../domain/canonical.js';
import { Generations } from './generations.js';

interface Entry {
  readonly bytes: Buffer;
  readonly value: Canonical;
}

/**
 * Spares the check path from checking the same MAC and parsing the same JSON again and again.
 *
 * It knows what bytes mean, never what is true: whoever asks has just read the record from a fresh snapshot, and only a
 * record with exactly the same bytes under the same name is a hit. Whether a record is there, what it says now and what
 * follows from it is never answered from here, so a stale entry is a miss and cannot become a decision.
 */
export class DecodeCache {
  readonly #entries: Generations<Entry>;

  constructor(size: number) {
    this.#entries = new Generations(size);
  }

  /** `bytes` may be a buffer that the next read overwrites; its first `length` bytes count. */
  find(name: string, bytes: Buffer, length: number): Canonical | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const same = entry.bytes.length === length && entry.bytes.compare(bytes, 0, length) === 0;
    return same ? entry.value : undefined;
  }

  /** Keeps `bytes` as they are: hand in a copy. What is kept is frozen, because every caller gets the same object. */
  add(name: string, bytes: Buffer, value: Canonical): void {
    this.#entries.set(name, { bytes, value: frozen(value) });
  }
}

/** Freezes all the way down. */
export function frozen<T extends Canonical>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}
