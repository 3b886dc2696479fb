import { expect, test, vi } from 'vitest';
import { decisionRecord } from '../../test/builders.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { createRecorder } from './recorder.js';

/** A store whose writes finish when the test says so. */
function slowStore() {
  const batches: { records: readonly DecisionRecord[]; done: () => void; fail: (error: Error) => void }[] = [];
  const recordDecisions = (records: readonly DecisionRecord[]) =>
    new Promise<void>((done, fail) => {
      batches.push({ records, done, fail });
    });
  return { batches, recordDecisions };
}

const quiet = () => {
  throw new Error('not expected');
};

test('grouped: an answer waits for nothing, and its decision is written with its neighbours within 50 ms', async () => {
  const store = slowStore();
  const recorder = createRecorder({ store, mode: 'grouped', onFailure: quiet });
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
  const recorder = createRecorder({ store, mode: 'strict', onFailure: quiet });
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
  const recorder = createRecorder({ store, mode: 'strict', onFailure: quiet });
  const waiting = recorder.add(decisionRecord(1))!;
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  store.batches[0]!.fail(new Error('EIO'));
  await expect(waiting).rejects.toThrow('EIO');
});

test('grouped: a batch that cannot be written is told', async () => {
  const store = slowStore();
  const failures: unknown[] = [];
  const recorder = createRecorder({ store, mode: 'grouped', onFailure: (cause) => failures.push(cause) });
  void recorder.add(decisionRecord(1));
  await vi.waitFor(() => expect(store.batches).toHaveLength(1));
  store.batches[0]!.fail(new Error('EIO'));
  await vi.waitFor(() => expect(failures).toHaveLength(1));
});

test('it is full after twenty thousand decisions that wait, and empty again when they are written', async () => {
  const store = slowStore();
  const recorder = createRecorder({ store, mode: 'grouped', onFailure: quiet });
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
  const recorder = createRecorder({ store, mode: 'grouped', onFailure: quiet });
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
