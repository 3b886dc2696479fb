import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { macKey, removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { codecWith } from './codec.js';
import { openRoot, type Root } from './environment.js';
import { all, entryKey, KIND } from './keys.js';
import { Records } from './records.js';
import { DamagedError } from './store.js';

const folders: string[] = [];
let root: Root;
let records: Records;
const entries = all(KIND.entry);

beforeEach(async () => {
  const folder = temporaryFolder();
  folders.push(folder);
  root = openRoot(folder);
  records = new Records(root, codecWith(macKey));
  await root.transaction(() => {
    for (const n of [1, 2, 3]) records.put(entryKey(n), n);
  });
});
afterEach(() => root.close());
afterAll(() => folders.forEach(removeFolder));

test('ranges are read forwards and backwards, from where they are told to', () => {
  const numbers = (keys: Iterable<Buffer>) => [...keys].map((key) => key.at(-1));
  expect(numbers(records.keysIn(entries))).toEqual([1, 2, 3]);
  expect(numbers(records.keysBack(entries))).toEqual([3, 2, 1]);
  expect(numbers(records.keysBack(entries, entryKey(2)))).toEqual([2, 1]);
  expect(numbers(records.keysBack({ start: entryKey(2), end: entryKey(3) }))).toEqual([2]);
  expect(numbers(records.firstKeysIn(entries, 2))).toEqual([1, 2]);
  expect([...records.valuesIn(entries)]).toEqual([1, 2, 3]);
});

test('the last key is the one at the place it is looked for, or before it', () => {
  expect(records.lastKeyIn(entries, entries.end)).toEqual(entryKey(3));
  expect(records.lastKeyIn(entries, entryKey(2))).toEqual(entryKey(2));
  expect(records.lastKeyIn(entries, entries.start)).toBeUndefined();
  expect(records.lastKeyIn(all(KIND.lock), all(KIND.lock).end)).toBeUndefined();
});

test('a range that is left before its end gives its snapshot back', async () => {
  for (let turn = 0; turn < 10; turn++) {
    records.lastKeyIn(entries, entries.end);
    for (const key of records.keysIn(entries)) if (key.equals(entryKey(1))) break;
    for (const { key } of records.foundIn(entries)) if (key.equals(entryKey(1))) break;
    await root.transaction(() => records.put(entryKey(9), turn)); // so that the next turn has another snapshot
    await sleep(1);
  }
  // A line for a heading, and one for the read transaction that is used over and over.
  expect(root.readerList().trim().split('\n').length).toBeLessThanOrEqual(2);
});

test('what is found stays as it was when more is read', () => {
  const first = records.record(entryKey(1))!;
  const before = Buffer.from(first);
  records.record(entryKey(2));
  records.find(entryKey(3), 'three');
  expect(first).toEqual(before);
});

test('a value found is authentic and belongs to its key', async () => {
  const record = records.record(entryKey(1))!;
  await root.transaction(() => void root.put(entryKey(2), record));
  root.resetReadTxn();
  expect(records.find(entryKey(1), 'one')).toBe(1);
  expect(() => records.find(entryKey(2), 'two')).toThrow(DamagedError);
});
