import type { RootDatabase } from 'lmdb';
import { AccessError } from '../domain/errors.js';
import { CommitWatch } from './commit-watch.js';
import { commitCause, isFromLmdb, meansFull } from './lmdb-errors.js';

/** One unit of work that commits as a whole or not at all. Synchronous. What it throws aborts it and nothing else. */
export type Work = () => void;

export interface WriterOptions {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** Whether a commit may be tried; throws when the database is no longer the one that was opened. */
  readonly hasRoom: () => boolean;
  /** After a commit that failed for lack of room: whether the state is still what it was before. */
  readonly isUntouched: () => boolean;
  /** Milliseconds that one commit may take. */
  readonly commitDeadline: number;
  /** Called once, when it is not known what became of a commit: from then on every call fails. */
  readonly onFailStop: (cause: Error) => void;
  /** Called before each transaction. */
  readonly onBegin: () => void;
}

type Outcome = { readonly error: unknown } | 'committed';

interface Waiting {
  readonly work: Work;
  readonly settle: (outcome: Outcome) => void;
}

/** More in one transaction would hold the event loop for longer than a check may take. */
const MAX_GROUP = 64;

/**
 * The one place that writes. Work queues up while a commit is under way and then shares the next one, each piece in a
 * child transaction of its own, so that one that throws takes nothing else with it.
 *
 * There is never more than one transaction under way. lmdb would take more, but gives each a thread, in an order that
 * nobody promises; and after a failed one it goes on as if nothing had happened, which we must not.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #watch: CommitWatch;
  readonly #queue: Waiting[] = [];
  #underWay: Waiting[] = [];
  #running: Promise<void> | null = null;
  #stopped: Error | null = null;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#watch = new CommitWatch(options.commitDeadline, () =>
      this.failStop(new Error(`a commit took longer than ${options.commitDeadline} ms`)),
    );
  }

  /**
   * Does this after everything that was submitted earlier. Resolves once it is on disk.
   *
   * @throws what `work` throws, or {AccessError} `storage_full`, `storage_failed`
   */
  submit(work: Work): Promise<void> {
    const refusal = this.refusal();
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({
        work,
        settle: (outcome) => (outcome === 'committed' ? resolve() : reject(outcome.error)),
      });
      this.#start();
    });
  }

  /** Why nothing can be read or written any more; null while all is well. */
  refusal(): AccessError | null {
    if (this.#stopped) return stoppedError(this.#stopped);
    return this.#closed ? new AccessError('shutting_down', 'the store is closed') : null;
  }

  get isStopped(): boolean {
    return this.#stopped !== null;
  }

  /** Ends all use of the database at once. */
  failStop(cause: Error): void {
    if (this.#stopped) return;
    this.#stopped = cause;
    this.#watch.end();
    settleAll([...this.#underWay, ...this.#queue.splice(0)], { error: stoppedError(cause) });
    this.#options.onFailStop(cause);
  }

  /** Refuses new work and waits for what was taken. */
  async close(): Promise<void> {
    this.#closed = true;
    // After a fail-stop there is nothing to wait for: a commit that never comes back is one of the reasons to stop.
    while (this.#running !== null && !this.#stopped) await this.#running;
    this.#watch.end();
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#queue.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped) {
      try {
        await this.#next();
      } catch (error) {
        this.failStop(error as Error);
      }
    }
  }

  async #next(): Promise<void> {
    if (!this.#options.hasRoom()) return settleAll(this.#queue.splice(0), { error: fullError() });
    const outcomes: Outcome[] = [];
    this.#options.onBegin();
    this.#watch.begin();
    const failure = await this.#options.root.transaction(() => this.#workGroup(outcomes)).then(() => null, commitCause);
    this.#watch.reached();
    if (this.#stopped) return; // everything has been answered already
    if (failure === null) this.#afterCommit(outcomes);
    else await this.#afterFailure(failure);
    this.#underWay = [];
  }

  /** Takes its work from the queue now, so that whatever came in until the transaction began is in it. */
  #workGroup(outcomes: Outcome[]): void {
    this.#underWay = [];
    while (this.#queue.length > 0 && outcomes.length < MAX_GROUP) {
      const waiting = this.#queue.shift()!;
      this.#underWay.push(waiting);
      outcomes.push(this.#inChild(waiting.work));
    }
  }

  #inChild(work: Work): Outcome {
    try {
      // Inside a transaction this is done when it returns, whatever its type says. The callback returns nothing: a
      // promise would be waited for, with the transaction open.
      void this.#options.root.childTransaction(() => {
        work();
      });
      return 'committed';
    } catch (error) {
      return { error };
    }
  }

  #afterCommit(outcomes: readonly Outcome[]): void {
    for (const [index, waiting] of this.#underWay.entries()) waiting.settle(translated(outcomes[index]!));
    const failure = outcomes.find((outcome) => outcome !== 'committed' && isFailure(outcome.error));
    if (failure) this.failStop((failure as { error: Error }).error);
  }

  /**
   * A commit that failed for lack of room has changed nothing, if it failed before the last page was written: then the
   * state is as it was and the next transaction goes through. Otherwise LMDB refuses for good, or never answers.
   */
  async #afterFailure(cause: Error): Promise<void> {
    if (!meansFull(cause) || !this.#options.isUntouched()) return this.failStop(cause);
    this.#watch.begin();
    const failure = await this.#options.root.transaction(() => undefined).then(() => null, commitCause);
    this.#watch.reached();
    if (failure !== null) return this.failStop(failure);
    settleAll(this.#underWay, { error: fullError(cause) });
  }
}

function settleAll(waiting: readonly Waiting[], outcome: Outcome): void {
  for (const one of waiting) one.settle(outcome);
}

/**
 * What one piece threw is told only now that the group has committed: it may have seen what was not durable yet. What
 * LMDB itself threw is not the caller's doing.
 */
function translated(outcome: Outcome): Outcome {
  if (outcome === 'committed' || !isFromLmdb(outcome.error)) return outcome;
  return { error: meansFull(outcome.error) ? fullError(outcome.error) : stoppedError(outcome.error) };
}

function isFailure(error: unknown): boolean {
  return isFromLmdb(error) && !meansFull(error);
}

function fullError(cause?: unknown): AccessError {
  return new AccessError('storage_full', 'the disk is full and nothing was changed; make room and try again', {
    cause,
  });
}

function stoppedError(cause: unknown): AccessError {
  return new AccessError('storage_failed', 'storage has failed and the store has stopped; restart the service', {
    cause,
  });
}
