import type { Database } from 'lmdb';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import { printKey, type Codec } from './codec.js';
import { DecodeCache } from './decode-cache.js';
import { HEAD_KEY, type Key, type KeyRange } from './keys.js';
import type { Head } from './head.js';
import { asDamage } from './lmdb-errors.js';
import { inOwnMemory } from './own-memory.js';
import { DamagedError } from './store.js';

/** A key and its record, both copies. */
export interface Found {
  readonly key: Key;
  readonly record: Buffer;
}

/** What lmdb's types leave out: the length of the value last read. */
export type BinaryDatabase = Database<Buffer, Buffer> & { readonly lastSize: number };

/** Room for the grants and requests of about 8,000 busy subjects, some 40 MB. */
const REMEMBERED = 8_192;

/**
 * Reads records of one database, in whatever transaction is current: inside a change its own, else the read transaction
 * of this turn, which `Snapshots` renews.
 */
export class Records {
  readonly codec: Codec;
  readonly #database: BinaryDatabase;
  readonly #cache = new DecodeCache(REMEMBERED);

  constructor(database: BinaryDatabase, codec: Codec) {
    this.#database = database;
    this.codec = codec;
  }

  /** @throws {DamagedError} also when it is missing: only a new database has no head, and it gets one before it is used */
  head(): Head {
    const head = this.find(HEAD_KEY, 'head') as unknown as Head | undefined;
    if (head === undefined) throw new DamagedError('the head record is missing; restore a backup');
    return head;
  }

  /** The value under `key`, frozen. `name` must stand for this key alone: it is what the decoded value is remembered by. */
  find(key: Key, name: string): Canonical | undefined {
    return this.#read(key, name, true);
  }

  /** As `find`, of very many that are read in passing: they do not drive out what is asked for again and again. */
  glance(key: Key, name: string): Canonical | undefined {
    return this.#read(key, name, false);
  }

  #read(key: Key, name: string, isKept: boolean): Canonical | undefined {
    const bytes = this.#get(key);
    if (bytes === undefined) return undefined;
    const length = this.#database.lastSize;
    const remembered = this.#cache.find(name, bytes, length);
    if (remembered !== undefined) return remembered;
    const record = copyOf(bytes, length); // the next read writes into the same buffer
    const value = this.codec.decode(key, record);
    if (isKept) this.#cache.add(name, record, value);
    return value;
  }

  has(key: Key): boolean {
    return this.#get(key) !== undefined;
  }

  record(key: Key): Buffer | undefined {
    const bytes = this.#get(key);
    return bytes && copyOf(bytes, this.#database.lastSize);
  }

  /** Keys of a range in their order. */
  *keysIn({ start, end }: KeyRange): Generator<Key> {
    for (const key of scanning(this.#database.getKeys({ start, end }))) yield key as Key;
  }

  firstKeysIn({ start, end }: KeyRange, limit: number): readonly Key[] {
    return [...scanning(this.#database.getKeys({ start, end, limit }))] as Key[];
  }

  /** Whether a range has more keys than these; they are passed over without being read. */
  hasMoreThan({ start, end }: KeyRange, count: number): boolean {
    return [...scanning(this.#database.getKeys({ start, end, offset: count, limit: 1 }))].length > 0;
  }

  /** How many keys lie in a range; counted by LMDB itself, one by one. */
  countIn({ start, end }: KeyRange): number {
    try {
      return this.#database.getKeysCount({ start, end });
    } catch (error) {
      throw asDamage(error);
    }
  }

  /** Keys of a range from the last to the first; with `from` beginning at it, or before it where it is not there. */
  *keysBack({ start, end }: KeyRange, from: Key = end): Generator<Key> {
    for (const key of scanning(this.#database.getKeys({ start: from, reverse: true }))) {
      if (Buffer.compare(key, start) < 0) return;
      if (Buffer.compare(key, end) < 0) yield key as Key;
    }
  }

  /** The last key of a range that lies before `from`, or at it. */
  lastKeyIn(range: KeyRange, from: Key): Key | undefined {
    for (const key of this.keysBack(range, from)) return key; // not `next()`: a cursor left open pins its snapshot for good
    return undefined;
  }

  *foundIn({ start, end }: KeyRange): Generator<Found> {
    for (const { key, value } of scanning(this.#database.getRange({ start, end }))) {
      yield { key: key as Key, record: value };
    }
  }

  /** Decoded values of a range in their order, not remembered. */
  *valuesIn(range: KeyRange): Generator<Canonical> {
    for (const { key, record } of this.foundIn(range)) yield this.codec.decode(key, record);
  }

  put(key: Key, value: Canonical): Buffer {
    return this.putText(key, canonicalJson(value));
  }

  /** As `put`, for a value that is already spelt canonically. */
  putText(key: Key, body: string): Buffer {
    const record = this.codec.encodeText(key, body);
    void this.#database.put(key, record); // inside a transaction: done at once
    return record;
  }

  remove(key: Key): void {
    void this.#database.remove(key);
  }

  #get(key: Key): Buffer | undefined {
    try {
      return this.#database.getBinaryFast(key);
    } catch (error) {
      throw asDamage(error);
    }
  }
}

/** As the range itself; what LMDB finds wrong on the way is damage. */
function* scanning<T>(range: Iterable<T>): Generator<T> {
  const iterator = range[Symbol.iterator]();
  try {
    for (let next = step(iterator); !next.done; next = step(iterator)) yield next.value;
  } finally {
    iterator.return?.(); // gives the cursor back
  }
}

function step<T>(iterator: Iterator<T>): IteratorResult<T> {
  try {
    return iterator.next();
  } catch (error) {
    throw asDamage(error);
  }
}

/** What an index entry says about a thing that is not as it says. */
export function misleading(key: Key): DamagedError {
  return new DamagedError(`index entry ${printKey(key)} leads to nothing that belongs there`);
}

/** lmdb's buffer tells a length of its own choosing, which not every method of a buffer honours. */
function copyOf(bytes: Buffer, length: number): Buffer {
  return inOwnMemory(new Uint8Array(bytes.buffer, bytes.byteOffset, length));
}
