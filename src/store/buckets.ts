import { TransactionFlags } from 'lmdb';
import type { Root } from './environment.js';
import { OPTIONS } from './environment.js';
import type { Codec } from './codec.js';
import { Records, type BinaryDatabase } from './records.js';
import { hours, type Instant } from '../domain/time.js';

/** Number of whole hours since the epoch. */
export type Hour = number;

export const hourOf = (at: Instant): Hour => Math.floor(at / hours(1));

/** Open at a time; the environment takes `maxDbs`, and one transaction must find room beside what it has itself opened. */
const MAX_OPEN = OPTIONS.maxDbs - 2;

/** Hours that one piece of work may touch: several such pieces fit into a transaction. */
export const MAX_HOURS = 4;

interface Bucket {
  readonly database: BinaryDatabase;
  readonly records: Records;
}

/**
 * The named databases that hold decisions, one for each hour, so that an old hour goes as a whole. LMDB keeps few open
 * at a time; the one used longest ago makes room.
 *
 * A handle is opened and closed only inside a write transaction, when no commit is under way: LMDB's table of handles
 * has no lock of its own. A handle is never touched again once it is closed (lmdb would read through a null pointer),
 * and one that was opened in a transaction which then fails is gone with it and is only forgotten.
 */
export class Buckets {
  readonly #root: Root;
  readonly #codec: Codec;
  /** In the order of last use. */
  readonly #open = new Map<Hour, Bucket>();
  /** What the transaction under way works in; it must not be closed before its end. */
  readonly #inUse = new Set<Hour>();
  /** What was opened in the transaction under way: no handle before it commits. */
  readonly #tentative = new Set<Hour>();

  constructor(root: Root, codec: Codec) {
    this.#root = root;
    this.#codec = codec;
  }

  begin(): void {
    this.#inUse.clear();
    this.#tentative.clear();
  }

  end(committed: boolean): void {
    if (!committed) for (const hour of this.#tentative) this.#open.delete(hour);
    this.begin();
  }

  /** All hours there are, newest first. */
  hours(): readonly Hour[] {
    const names = [...this.#root.getKeys({ start: Buffer.from('decisions-'), end: Buffer.from('decisions.') })];
    return names.map((name) => Number(/\d+/.exec(name.toString('latin1'))?.[0])).toReversed();
  }

  /** Inside a write transaction. False when there are too many open that this transaction works in. */
  prepare(wanted: readonly Hour[]): boolean {
    if (new Set([...this.#inUse, ...wanted]).size > MAX_OPEN) return false;
    for (const hour of wanted) this.#inUse.add(hour);
    for (const hour of wanted) {
      if (this.#open.has(hour)) continue;
      this.#openInTransaction(hour, true);
      this.#tentative.add(hour);
    }
    return true;
  }

  /** Inside a write transaction that has prepared it. */
  prepared(hour: Hour): Records {
    return this.#used(hour)!.records;
  }

  /** Outside of transactions. Undefined when there is no such hour. Waits for a commit under way if it must be opened. */
  reader(hour: Hour): Records | undefined {
    if (!this.#open.has(hour) || this.#tentative.has(hour)) {
      if (!this.#root.doesExist(Buffer.from(`${nameOf(hour)}\0`))) return undefined;
      this.#root.transactionSync(() => this.#openInTransaction(hour, false), TransactionFlags.SYNCHRONOUS_COMMIT);
      this.#tentative.delete(hour);
    }
    return this.#used(hour)?.records;
  }

  /** Inside a write transaction: opens the database of an hour for being dropped, after which its handle is no more. */
  take(hour: Hour): BinaryDatabase | undefined {
    if (!this.#open.has(hour)) this.#openInTransaction(hour, false);
    const database = this.#open.get(hour)?.database;
    this.#open.delete(hour);
    return database;
  }

  #used(hour: Hour): Bucket | undefined {
    const bucket = this.#open.get(hour);
    if (bucket !== undefined) {
      this.#open.delete(hour);
      this.#open.set(hour, bucket);
    }
    return bucket;
  }

  #openInTransaction(hour: Hour, create: boolean): void {
    this.#makeRoom();
    this.#open.delete(hour);
    const options = { encoding: 'binary', keyEncoding: 'binary', cache: false, create } as const;
    const database = this.#root.openDB<Buffer, Buffer>(nameOf(hour), options) as BinaryDatabase | undefined;
    if (database !== undefined) this.#open.set(hour, { database, records: new Records(database, this.#codec) });
  }

  #makeRoom(): void {
    for (const [hour, { database }] of this.#open) {
      if (this.#open.size < MAX_OPEN) return;
      if (this.#inUse.has(hour)) continue;
      this.#open.delete(hour);
      (database as unknown as Native).db.close();
    }
  }
}

/** Zeros make the order of names the order of hours. */
function nameOf(hour: Hour): string {
  return `decisions-${String(hour).padStart(10, '0')}`;
}

/** `close` of the database would end the whole environment's read transaction as well; this is only the handle. */
interface Native {
  readonly db: { close(): void };
}
