import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { at, lock } from '../../test/builders.js';
import { openTestStore, removeFolder, temporaryDiskFolder } from '../../test/store-folder.js';
import { recordAll } from '../../test/store-scenes.js';
import type { LmdbStore } from './lmdb.js';

// On a disk a commit takes its time; in memory it would be over before anybody can look.
const folder = temporaryDiskFolder();
let store: LmdbStore;
beforeEach(async () => {
  store = await openTestStore(folder);
});
afterEach(() => store.close());
afterAll(() => removeFolder(folder));

const sequence = () => store.read((s) => s.sequence);
const aLock = { action: 'lock.created', lock: lock() } as const;

test('a read sees what is on disk even before whoever made it has been told', async () => {
  const before = sequence();
  let seen = before;
  await store.change(at(0), (change) => {
    recordAll(change, [aLock]);
    // Runs as soon as the commit may go on, on another thread, and keeps this one busy until it can be seen.
    queueMicrotask(() => {
      for (const start = performance.now(); seen === before && performance.now() - start < 2_000;) seen = sequence();
    });
  });
  expect(seen).toBe(before + 1);
});

test('a read inside of a change is refused: it would see what is not committed', async () => {
  const reading = store.change(at(0), () => sequence());
  await expect(reading).rejects.toThrow('read inside of a change; ask the change itself');
  const listing = store.change(at(0), () => store.decisions({ limit: 1 }));
  await expect(listing).rejects.toThrow('inside of a change');
});

test('a change begun inside of a change or a read is one of its own, after it', async () => {
  const before = sequence();
  let inner: Promise<number> | undefined;
  const outer = await store.change(at(0), (change) => {
    inner = store.change(at(1), (next) => next.sequence);
    recordAll(change, [aLock]);
    return change.sequence;
  });
  expect([outer, await inner]).toEqual([before + 1, before + 1]);
});

test('a snapshot that has been carried out of its callback answers nothing', () => {
  const kept = store.read((snapshot) => ({ snapshot })).snapshot;
  expect(() => kept.sequence).toThrow('this snapshot is over');
  expect(() => kept.locks()).toThrow('this snapshot is over');
  expect(() => kept.grants({ limit: 1 })).toThrow('this snapshot is over');
});
