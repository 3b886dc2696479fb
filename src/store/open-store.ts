import type { DecisionRecord } from '../domain/decision-record.js';
import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import { LmdbChange } from './change.js';
import type { Claim } from './claim.js';
import type { Codec } from './codec.js';
import { DecisionLog } from './decisions.js';
import { dropSomeDrafts } from './drafts.js';
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
import type { Databases } from './start.js';
import type { Change, DecisionQuery, Page, Snapshot, Store } from './store.js';
import { verifyAll, type Verification, type VerificationNeeds } from './verify.js';
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

/** How long closing waits for a fail-stop to be on record, in milliseconds. */
const NOTED_MS = 300;

/** A store over an open database. */
export class OpenStore implements Store {
  readonly #root: Root;
  readonly #needs: OpenStoreNeeds;
  readonly #records: Records;
  readonly #lockCache: LockCache;
  readonly #grantIndex = new GrantIndex();
  readonly #decisions: Records;
  readonly #log: DecisionLog;
  readonly #file: FileWatch;
  readonly #reads: Reads;
  readonly #writer: Writer;
  #closing: Promise<void> | null = null;
  /** Resolves when a fail-stop is on record. */
  #noted: Promise<void> = Promise.resolve();
  /** The head as it was before the transaction under way. */
  #before: Buffer | undefined;

  constructor({ root, decisions }: Databases, needs: OpenStoreNeeds) {
    this.#root = root;
    this.#needs = needs;
    this.#records = new Records(root, needs.codec);
    this.#lockCache = new LockCache(this.#records);
    this.#decisions = new Records(decisions, needs.codec);
    this.#log = new DecisionLog(this.#decisions);
    this.#file = new FileWatch(needs.folder);
    this.#reads = new Reads(root, () => this.#writer.refusal());
    this.#writer = new Writer({
      root,
      commitDeadline: needs.commitDeadline,
      hasRoom: () => this.#hasRoom(),
      isUntouched: () => this.#before !== undefined && this.#headRecord()?.equals(this.#before) === true,
      onFailStop: (cause) => this.#onFailStop(cause),
      onBegin: () => {
        this.#before = this.#headRecord();
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

  change<T>(at: Instant, use: (change: Change) => T): Promise<T> {
    return this.#committed(() => {
      const change = new LmdbChange(this.#records, this.#lockCache, at);
      try {
        const result = this.#reads.changing(() => use(change));
        change.finish();
        return result;
      } finally {
        change.end();
      }
    });
  }

  recordDecisions(batch: readonly DecisionRecord[]): Promise<void> {
    return this.#writer.submit(() => this.#writeDecisions(batch));
  }

  decisions(query: DecisionQuery): Page<DecisionRecord> {
    return this.#reads.fresh(() => this.#log.page(query));
  }

  decision(id: DecisionId): DecisionRecord | undefined {
    return this.#reads.fresh(() => this.#log.find(id));
  }

  dropDecisions(before: Instant, signal?: AbortSignal): Promise<void> {
    return this.#inSteps(() => this.#log.dropSome(before), signal);
  }

  highWaterMark(): Instant {
    return this.#reads.fresh(() => this.#records.head().highWaterMark);
  }

  forgetAnswers(before: Instant, signal?: AbortSignal): Promise<void> {
    return this.#inSteps(() => this.#forgetSomeAnswers(before), signal);
  }

  dropDrafts(now: Instant, signal?: AbortSignal): Promise<void> {
    return this.#inSteps(() => dropSomeDrafts(this.#records, now), signal);
  }

  /** @see LmdbStore */
  verifyAll(giveWay?: () => Promise<void>): Promise<Verification> {
    const needs: VerificationNeeds = {
      records: this.#records,
      lockCache: this.#lockCache,
      decisions: this.#decisions,
      read: (use) => this.#reads.fresh(use),
    };
    return verifyAll(needs, giveWay);
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
    await this.#writer.submit(() => void this.#records.put(keys.SELF_TEST_KEY, at));
    const found = this.#reads.fresh(() => this.#records.find(keys.SELF_TEST_KEY, 'self-test'));
    if (found !== at)
      throw new Error(`storage gave back ${JSON.stringify(found)} instead of ${at}; see whether lmdb is whole`);
  }

  #writeDecisions(batch: readonly DecisionRecord[]): void {
    const head = this.#records.head();
    this.#log.write(batch, head.batches);
    const latest = batch.reduce((mark: Head, { at }) => raised(mark, at), head);
    this.#records.put(keys.HEAD_KEY, headBody({ ...latest, batches: head.batches + 1 }));
  }

  /** A step is a commit, between which others get their turn; it tells whether there may be more. */
  async #inSteps(step: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    while (!isAborted(signal) && (await this.#committed(step)));
  }

  async #committed<T>(work: () => T): Promise<T> {
    let result: T | undefined;
    await this.#writer.submit(() => {
      result = work();
    });
    return result as T;
  }

  #forgetSomeAnswers(before: Instant): boolean {
    const some = this.#records.firstKeysIn(keys.answersBefore(before), FORGOTTEN_AT_ONCE);
    for (const key of some) {
      this.#records.remove(key);
      this.#records.remove(keys.answerKeyIn(key));
    }
    return some.length === FORGOTTEN_AT_ONCE;
  }

  #headRecord(): Buffer | undefined {
    return this.#reads.newest(() => this.#records.record(keys.HEAD_KEY));
  }

  #hasRoom(): boolean {
    this.#file.assertSame();
    return freeBytes(this.#needs.folder, this.#needs.statfs) >= this.#needs.minimumRoom;
  }

  /** Telling comes first, and nothing here waits for the disk: it is what has failed. */
  #onFailStop(cause: Error): void {
    try {
      this.#needs.onFailStop(cause);
    } finally {
      // It need not take this line either. The next start then verifies in the background only.
      this.#noted = this.#needs.history.addStopped(this.#needs.now(), cause.message).catch(() => undefined);
    }
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    // After a fail-stop lmdb may never come back from closing, and the folder stays ours until the process ends.
    if (this.#writer.isStopped) return within(NOTED_MS, this.#noted);
    await this.#root.close();
    await this.#needs.claim.release();
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
