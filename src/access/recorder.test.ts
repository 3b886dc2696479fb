import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decisionRecord } from '../../test/builders.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { AccessError } from '../domain/errors.js';
import type { Room } from './dependencies.js';
import { createRecorder, type RecorderNeeds } from './recorder.js';

/** A store whose writes finish when the test says so. */
function slowStore() {
  const batches: { records: readonly DecisionRecord[]; done: () => void; fail: (error: Error) => void }[] = [];
  const recordDecisions = (records: readonly DecisionRecord[]) =>
    new Promise<void>((done, fail) => {
      batches.push({ records, done, fail });
    });
  return { batches, recordDecisions };
}

/** A recorder as most tests want it: with all the room there is, and nothing that goes wrong. */
const recorderOf = (over: Pick<RecorderNeeds, 'store'> & Partial<RecorderNeeds>) =>
  createRecorder({ mode: 'grouped', room: { level: () => 'all' }, onFailure: quiet, onUnrecorded: quiet, ...over });

const quiet = () => {
  throw new Error('not expected');
};

test('grouped: an answer waits for nothing, and its decision is written with its neighbours within 50 ms', async () => {
  const store = slowStore();
  const recorder = recorderOf({ store });
  const records = [decisionRecord(1), decisionRecord(2), decisionRecord(3)];
  for (const record of records) expect(recorder.add(record)).toBeUndefined();
  expect(store.batches).toHaveLength(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(store.batches.map((batch) => batch.records)).toEqual([records]);
  store.batches[0]!.done();
  await recorder.flush();
});

test('strict: an answer waits until its decision is on disk, and what comes meanwhile goes into the next batch', async () => {
  const store = slowStore();
  const recorder = recorderOf({ store, mode: 'strict' });
  const answered: number[] = [];
  const add = (n: number) => recorder.add(decisionRecord(n))!.then(() => answered.push(n));
  const first = add(1);
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  const later = [add(2), add(3)];
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.batches).toHaveLength(1);
  expect(answered).toEqual([]);
  store.batches[0]!.done();
  await first;
  expect(answered).toEqual([1]);
  await vi.waitFor(() => expect(store.batches).toHaveLength(2));
  expect(store.batches[1]!.records).toHaveLength(2);
  store.batches[1]!.done();
  await Promise.all(later);
});

test('strict: a batch that cannot be written rejects every answer that waits for it', async () => {
  const store = slowStore();
  const recorder = recorderOf({ store, mode: 'strict', onUnrecorded: () => undefined });
  const waiting = recorder.add(decisionRecord(1))!;
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  store.batches[0]!.fail(new Error('EIO'));
  await expect(waiting).rejects.toThrow('EIO');
});

test('grouped: a batch that cannot be written is told', async () => {
  const store = slowStore();
  const failures: unknown[] = [];
  const recorder = recorderOf({ store, onFailure: (cause) => failures.push(cause), onUnrecorded: () => undefined });
  void recorder.add(decisionRecord(1));
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  store.batches[0]!.fail(new Error('EIO'));
  await vi.waitFor(() => expect(failures).toHaveLength(1));
});

test('it is full after twenty thousand decisions that wait, and empty again when they are written', async () => {
  const store = slowStore();
  const recorder = recorderOf({ store });
  const record = decisionRecord(1);
  for (let i = 0; i < 19_999; i++) void recorder.add(record);
  expect(recorder.isFull()).toBe(false);
  void recorder.add(record);
  expect(recorder.isFull()).toBe(true);
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  expect(recorder.isFull()).toBe(false);
});

test('flush waits for the batch that is being written and for the one that is being filled', async () => {
  const store = slowStore();
  const recorder = recorderOf({ store });
  void recorder.add(decisionRecord(1));
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  void recorder.add(decisionRecord(2));
  let flushed = false;
  const flushing = recorder.flush().then(() => (flushed = true));
  store.batches[0]!.done();
  await vi.waitFor(() => expect(store.batches).toHaveLength(2));
  expect(flushed).toBe(false);
  store.batches[1]!.done();
  await flushing;
});

describe('when decisions meet a full disk', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const allow = (n: number) => decisionRecord(n, { effect: 'allow', reason: null });
  /** A store on a disk that is full for as long as the test says so. */
  const filling = () => {
    const kept: DecisionRecord[] = [];
    const disk = { isFull: true, tries: 0 };
    const recordDecisions = async (records: readonly DecisionRecord[]) => {
      disk.tries += 1;
      if (disk.isFull) throw new AccessError('storage_full', 'the disk is full');
      kept.push(...records);
    };
    return { kept, disk, recordDecisions };
  };

  test.each(['grouped', 'strict'] as const)(
    '%s: it is full until the batch that failed is written, which is tried every second; none is lost',
    async (mode) => {
      const store = filling();
      const failures: unknown[] = [];
      const recorder = recorderOf({ store, mode, onFailure: (cause) => failures.push(cause) });
      const records = [allow(1), allow(2)];
      for (const record of records) recorder.add(record)?.catch(() => undefined);
      expect(recorder.isFull()).toBe(false);
      await vi.advanceTimersByTimeAsync(30);
      expect([recorder.isFull(), store.disk.tries]).toEqual([true, 1]);
      await vi.advanceTimersByTimeAsync(3_000);
      expect([recorder.isFull(), store.disk.tries, store.kept]).toEqual([true, 4, []]);
      expect(failures.length).toBeGreaterThanOrEqual(3);
      store.disk.isFull = false;
      await vi.advanceTimersByTimeAsync(1_000);
      expect([recorder.isFull(), store.kept]).toEqual([false, records]);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(store.disk.tries).toBe(5);
    },
  );

  test('denies are counted and no longer kept', async () => {
    const store = filling();
    let unrecorded = 0;
    const recorder = recorderOf({ store, onFailure: () => undefined, onUnrecorded: () => (unrecorded += 1) });
    void recorder.add(decisionRecord(1));
    await vi.advanceTimersByTimeAsync(30);
    for (let n = 2; n < 5; n++) void recorder.add(decisionRecord(n));
    expect(unrecorded).toBe(3);
    store.disk.isFull = false;
    const flushing = recorder.flush();
    await vi.advanceTimersByTimeAsync(1_000);
    await flushing;
    expect(store.kept.map(({ id }) => id)).toEqual([decisionRecord(1).id]);
  });
});

test('what a store refuses for another reason is told and counted, and does not keep out what comes after it', async () => {
  const batches: (readonly DecisionRecord[])[] = [];
  const recordDecisions = (records: readonly DecisionRecord[]) => {
    batches.push(records);
    return batches.length === 1 ? Promise.reject(new TypeError('unspeakable')) : Promise.resolve();
  };
  let unrecorded = 0;
  const failures: unknown[] = [];
  const recorder = recorderOf({
    store: { recordDecisions },
    onFailure: (cause) => failures.push(cause),
    onUnrecorded: () => (unrecorded += 1),
  });
  void recorder.add(decisionRecord(1));
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  expect([unrecorded, recorder.isFull()]).toEqual([1, false]);
  void recorder.add(decisionRecord(2));
  await recorder.flush();
  expect(batches.at(-1)).toEqual([decisionRecord(2)]);
});

test.each<[ReturnType<Room['level']>, boolean]>([
  ['all', true],
  ['no_requests', true],
  ['endings_only', false],
  ['nothing', false],
])('with room for %s a deny is recorded: %s; an allow always', async (level, isKept) => {
  const kept: DecisionRecord[] = [];
  let unrecorded = 0;
  const recorder = recorderOf({
    store: { recordDecisions: async (records) => void kept.push(...records) },
    room: { level: () => level },
    onUnrecorded: () => (unrecorded += 1),
  });
  const allow = decisionRecord(1, { effect: 'allow', reason: null });
  void recorder.add(allow);
  void recorder.add(decisionRecord(2));
  await recorder.flush();
  expect(kept).toEqual(isKept ? [allow, decisionRecord(2)] : [allow]);
  expect(unrecorded).toBe(isKept ? 0 : 1);
});

test('denies beyond what memory holds are counted', () => {
  let unrecorded = 0;
  const recorder = recorderOf({ store: slowStore(), onUnrecorded: () => (unrecorded += 1) });
  const record = decisionRecord(1);
  for (let n = 0; n < 20_003; n++) void recorder.add(record);
  expect(unrecorded).toBe(3);
});

test('nothing is written before it may begin, and nothing is lost meanwhile', async () => {
  const store = slowStore();
  let open = () => {};
  const begin = new Promise<void>((resolve) => {
    open = resolve;
  });
  const recorder = recorderOf({ store, begin });
  void recorder.add(decisionRecord(1));
  await new Promise((resolve) => setTimeout(resolve, 60));
  void recorder.add(decisionRecord(2));
  expect(store.batches).toHaveLength(0);
  open();
  await expect.poll(() => store.batches.map((batch) => batch.records.length)).toEqual([2]);
  store.batches[0]!.done();
  await recorder.flush();
});
