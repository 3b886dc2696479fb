import type { DecisionRecord } from '../domain/decision-record.js';
import { AccessError } from '../domain/errors.js';
import type { Store } from '../store/store.js';
import type { Room } from './dependencies.js';

/** Keeps decisions in group commits. */
export interface Recorder {
  /**
   * Takes a decision into the next batch. Undefined when its answer need not wait (`grouped`, or a deny that is only
   * counted); with `strict` a promise that resolves once the batch is on disk.
   */
  add(record: DecisionRecord): Promise<void> | undefined;
  /** Nothing can be recorded until a batch is written: what cannot be recorded must not be allowed. */
  isFull(): boolean;
  /** Resolves once everything taken so far is on disk. */
  flush(): Promise<void>;
}

export interface RecorderNeeds {
  readonly store: Pick<Store, 'recordDecisions'>;
  readonly room: Pick<Room, 'level'>;
  readonly mode: 'grouped' | 'strict';
  /** Hears of a batch that could not be written. It is kept and tried again where the disk was full. */
  readonly onFailure: (cause: unknown) => void;
  /** Nothing is written before this resolves; decisions wait in memory. */
  readonly begin?: Promise<void>;
  /** Called for each decision that is not recorded: a deny for lack of room on the disk or in memory, or what failed. */
  readonly onUnrecorded: () => void;
}

/** How long a decision may wait for its batch; with the commit itself it stays below the promised 50 ms. */
const GROUP_MS = 25;

/** After a batch that met a full disk. */
const RETRY_MS = 1_000;

/** About 4 s of decisions at the rate that one process reaches. */
const CAPACITY = 20_000;

/**
 * `grouped`: a batch is written every 25 ms beside the answers; a crash loses at most that batch. `strict`: each answer
 * waits for its batch, and a batch is whatever has come in while the one before it was written.
 *
 * An allow is recorded or not given. A deny is given in any case: strangers make as many as they like, so when room
 * becomes scarce theirs is the first record to go, long before the room that ending access needs.
 */
export function createRecorder({ store, room, mode, begin, onFailure, onUnrecorded }: RecorderNeeds): Recorder {
  let batch: DecisionRecord[] = [];
  let writing: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let isStuck = false;

  async function write(): Promise<void> {
    const records = batch;
    batch = [];
    try {
      await store.recordDecisions(records);
      isStuck = false;
    } catch (error) {
      if (isFull(error)) keepForLater(records);
      else for (const _ of records) onUnrecorded();
      throw error;
    }
  }

  /** Also those whose answers waited and have become denies: what was decided is recorded. */
  function keepForLater(records: readonly DecisionRecord[]): void {
    batch = [...records, ...batch];
    isStuck = true;
    if (next === null) writeUntold(RETRY_MS);
  }

  /** The promise of the batch that is being filled. Batches are written one after the other. */
  function scheduled(delay: number): Promise<void> {
    next ??= (async () => {
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      await begin;
      await writing?.catch(() => undefined);
      next = null;
      writing = write().finally(() => {
        writing = null;
      });
      return writing;
    })();
    return next;
  }

  function writeUntold(delay: number): void {
    scheduled(delay).catch(onFailure);
  }

  const hasNoRoom = () => isStuck || batch.length >= CAPACITY;

  return {
    add(record) {
      if (record.effect === 'deny' && (hasNoRoom() || isScarce(room))) {
        onUnrecorded();
        return undefined;
      }
      batch.push(record);
      if (mode === 'strict') return scheduled(0);
      if (next === null) writeUntold(GROUP_MS);
      return undefined;
    },
    isFull: hasNoRoom,
    async flush() {
      await writing?.catch(() => undefined);
      await (next ?? (batch.length > 0 ? write() : undefined));
    },
  };
}

/** What little room there is, is for those who have access and for ending it. */
function isScarce(room: Pick<Room, 'level'>): boolean {
  const level = room.level();
  return level === 'endings_only' || level === 'nothing';
}

function isFull(error: unknown): boolean {
  return error instanceof AccessError && error.code === 'storage_full';
}
