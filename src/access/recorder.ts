import type { DecisionRecord } from '../domain/decision-record.js';
import type { Store } from '../store/store.js';

/** Keeps decisions in group commits. */
export interface Recorder {
  /**
   * Takes a decision into the next batch. Undefined when its answer need not wait (`grouped`); with `strict` a promise
   * that resolves once the batch is on disk.
   */
  add(record: DecisionRecord): Promise<void> | undefined;
  /** No room for more until a batch is written: what cannot be recorded must not be allowed. */
  isFull(): boolean;
  /** Resolves once everything taken so far is on disk. */
  flush(): Promise<void>;
}

/** How long a decision may wait for its batch; with the commit itself it stays below the promised 50 ms. */
const GROUP_MS = 25;

/** About 4 s of decisions at the rate that one process reaches. */
const CAPACITY = 20_000;

/**
 * `grouped`: a batch is written every 25 ms beside the answers; a crash loses at most that batch. `strict`: each answer
 * waits for its batch, and a batch is whatever has come in while the one before it was written.
 *
 * `onFailure` hears of a batch that could not be written; the store has stopped by then.
 */
export function createRecorder({
  store,
  mode,
  onFailure,
}: {
  readonly store: Pick<Store, 'recordDecisions'>;
  readonly mode: 'grouped' | 'strict';
  readonly onFailure: (cause: unknown) => void;
}): Recorder {
  let batch: DecisionRecord[] = [];
  let writing: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function write(): Promise<void> {
    const records = batch;
    batch = [];
    writing = store.recordDecisions(records).finally(() => {
      writing = null;
    });
    return writing;
  }

  /** The promise of the batch that is being filled. Batches are written one after the other. */
  function scheduled(delay: number): Promise<void> {
    next ??= (async () => {
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      await writing?.catch(() => undefined);
      next = null;
      await write();
    })();
    return next;
  }

  return {
    add(record) {
      batch.push(record);
      if (mode === 'strict') return scheduled(0);
      if (next === null) scheduled(GROUP_MS).catch(onFailure);
      return undefined;
    },
    isFull: () => batch.length >= CAPACITY,
    async flush() {
      await writing?.catch(() => undefined);
      await (next ?? (batch.length > 0 ? write() : undefined));
    },
  };
}
