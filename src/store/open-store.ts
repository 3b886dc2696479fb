import type { DecisionRecord } from '../domain/decision-record.js';
import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import { Buckets, hourOf, MAX_HOURS } from './buckets.js';
import { LmdbChange } from './change.js';
import type { Claim } from './claim.js';
import type { Codec } from './codec.js';
import { byHours, DecisionLog } from './decisions.js';
import type { Root } from './environment.js';
import { FileWatch } from './file-watch.js';
import { freeBytes, type Statfs } from './folder.js';
import { GrantIndex } from './grant-index.js';
import { headBody, raised, type Head } from './head.js';
import type { History } from './history.js';
import * as keys from './keys.js';
import { LockCache } from './lock-cache.js';
import { Reads } from './reads.js';
import { Records } from './records.js';
import { LmdbSnapshot } from './snapshot.js';
import type { Change, DecisionQuery, Page, Snapshot, Store } from './store.js';
import { verifyAll, type Verification } from './verify.js';
import { Writer } from './writer.js';

/** What an open store works with; see `LmdbStoreOptions` for those that callers choose. */
export interface OpenStoreNeeds {
  readonly folder: string;
  readonly codec: Codec;
  readonly claim: Claim;
  readonly history: History;
  readonly now: () => Instant;
  readonly onFailStop: (cause: Error) => void;
  readonly statfs: Statfs;
  readonly commitDeadline: number;
  readonly minimumRoom: number;
}

/** Removed in one transaction; at most about a mebibyte of pages. */
const FORGOTTEN_AT_ONCE = 500;

/** A store over an open database. */
export class OpenStore implements Store {
  readonly #root: Root;
  readonly #needs: OpenStoreNeeds;
  readonly #records: Records;
  readonly #lockCache: LockCache;
  readonly #grantIndex = new GrantIndex();
  readonly #buckets: Buckets;
  readonly #log: DecisionLog;
  readonly #file: FileWatch;
  readonly #reads: Reads;
  readonly #writer: Writer;
  #closing: Promise<void> | null = null;
  /** The head as it was before the transaction under way. */
  #before: Buffer | undefined;

  constructor(root: Root, needs: OpenStoreNeeds) {
    this.#root = root;
    this.#needs = needs;
    this.#records = new Records(root, needs.codec);
    this.#lockCache = new LockCache(this.#records);
    this.#buckets = new Buckets(root, needs.codec);
    this.#log = new DecisionLog(this.#buckets);
    this.#file = new FileWatch(needs.folder);
    this.#reads = new Reads(root, () => this.#writer.refusal());
    this.#writer = new Writer({
      root,
      commitDeadline: needs.commitDeadline,
      hasRoom: () => this.#hasRoom(),
      isUntouched: () => this.#before !== undefined && this.#headRecord()?.equals(this.#before) === true,
      onFailStop: (cause) => this.#onFailStop(cause),
      onTransaction: {
        begin: () => {
          this.#before = this.#headRecord();
          this.#buckets.begin();
        },
        end: (committed) => this.#buckets.end(committed),
      },
    });
  }

  read<T>(use: (snapshot: Snapshot) => T): T {
    return this.#reads.fresh(() => {
      const snapshot = new LmdbSnapshot(this.#records, this.#lockCache, this.#grantIndex);
      try {
        return use(snapshot);
      } finally {
        snapshot.end();
      }
    });
  }

  async change<T>(at: Instant, use: (change: Change) => T): Promise<T> {
    let result: T | undefined;
    await this.#submit(() => {
      const change = new LmdbChange(this.#records, this.#lockCache, at);
      try {
        result = this.#reads.changing(() => use(change));
        change.finish();
      } finally {
        change.end();
      }
    });
    return result as T;
  }

  async recordDecisions(batch: readonly DecisionRecord[]): Promise<void> {
    const parts = byHours(batch, MAX_HOURS).map((part) => {
      const hours = [...new Set(part.map(({ at }) => hourOf(at)))];
      return this.#writer.submit({
        prepare: () => this.#buckets.prepare(hours),
        work: () => this.#writeDecisions(part),
      });
    });
    await Promise.all(parts);
  }

  decisions(query: DecisionQuery): Page<DecisionRecord> {
    return this.#reads.alone(() => this.#log.page(query));
  }

  decision(id: DecisionId): DecisionRecord | undefined {
    return this.#reads.alone(() => this.#log.find(id));
  }

  async dropDecisions(before: Instant): Promise<void> {
    const old = this.#reads.alone(() => this.#buckets.hours()).filter((hour) => hour < hourOf(before));
    for (const hour of old.toReversed()) await this.#writer.submit(() => this.#drop(hour));
  }

  highWaterMark(): Instant {
    return this.#reads.fresh(() => this.#records.head().highWaterMark);
  }

  async forgetAnswers(before: Instant): Promise<void> {
    let isMore = true;
    while (isMore) isMore = await this.#forgetSomeAnswers(before);
  }

  /** @see LmdbStore */
  verifyAll(): Promise<Verification> {
    return verifyAll({
      records: this.#records,
      lockCache: this.#lockCache,
      buckets: this.#buckets,
      read: (use) => this.#reads.alone(use),
    });
  }

  /** @see LmdbStore */
  bytes(): number {
    return this.#file.size();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Writes something and reads it back: that commits come back at all is not certain where a bundler has put another
   * part of lmdb to work than the one for Node.
   */
  async selfTest(): Promise<void> {
    const at = this.#needs.now();
    await this.#submit(() => void this.#records.put(keys.SELF_TEST_KEY, at));
    const found = this.#reads.fresh(() => this.#records.find(keys.SELF_TEST_KEY, 'self-test'));
    if (found !== at)
      throw new Error(`storage gave back ${JSON.stringify(found)} instead of ${at}; see whether lmdb is whole`);
  }

  #submit(work: () => void): Promise<void> {
    return this.#writer.submit({ work });
  }

  #writeDecisions(batch: readonly DecisionRecord[]): void {
    const head = this.#records.head();
    this.#log.write(batch, head.batches);
    const latest = batch.reduce((mark: Head, { at }) => raised(mark, at), head);
    this.#records.put(keys.HEAD_KEY, headBody({ ...latest, batches: head.batches + 1 }));
  }

  /** The pages are freed on lmdb's thread: an hour may have millions of them. */
  async #drop(hour: number): Promise<void> {
    const database = await this.#root.transaction(() => ({ taken: this.#buckets.take(hour) }));
    await database.taken?.drop();
  }

  /** Whether there may be more. */
  async #forgetSomeAnswers(before: Instant): Promise<boolean> {
    let some: readonly keys.Key[] = [];
    await this.#submit(() => {
      some = this.#records.firstKeysIn(keys.answersBefore(before), FORGOTTEN_AT_ONCE);
      for (const key of some) {
        this.#records.remove(key);
        this.#records.remove(keys.answerKeyIn(key));
      }
    });
    return some.length === FORGOTTEN_AT_ONCE;
  }

  #headRecord(): Buffer | undefined {
    return this.#reads.fresh(() => this.#records.record(keys.HEAD_KEY));
  }

  #hasRoom(): boolean {
    this.#file.assertSame();
    return freeBytes(this.#needs.folder, this.#needs.statfs) >= this.#needs.minimumRoom;
  }

  #onFailStop(cause: Error): void {
    try {
      this.#needs.history.add('stopped', this.#needs.now(), cause.message);
    } catch {
      // The disk that failed need not take this line either. The next start then verifies in the background only.
    }
    this.#needs.onFailStop(cause);
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    // After a fail-stop lmdb may never come back from closing, and the folder stays ours until the process ends.
    if (this.#writer.isStopped) return;
    await this.#root.close();
    await this.#needs.claim.release();
  }
}
