import { expect, test } from 'vitest';
import { alice, at, bob, billingApi, grant, ordersDb } from '../../test/builders.js';
import { GrantIndex } from './grant-index.js';
import { grantKey, STAMP_KEY } from './keys.js';

const entries = [{ key: STAMP_KEY, end: at(100), id: grant().id, grantKey: grantKey(grant().id) }];

function scene() {
  const index = new GrantIndex();
  index.keep(alice, ordersDb, { sequence: 7, at: at(10), entries });
  return index;
}

test('what was walked is known as long as nothing has changed', () => {
  expect(scene().find(alice, ordersDb, 7, at(10))).toBe(entries);
  expect(scene().find(alice, ordersDb, 7, at(99))).toBe(entries);
});

test('another change, another subject, another resource and an earlier time are not known', () => {
  const index = scene();
  expect(index.find(alice, ordersDb, 8, at(10))).toBeUndefined();
  expect(index.find(alice, ordersDb, 6, at(10))).toBeUndefined();
  expect(index.find(bob, ordersDb, 7, at(10))).toBeUndefined();
  expect(index.find(alice, billingApi, 7, at(10))).toBeUndefined();
  expect(index.find(alice, ordersDb, 7, at(9))).toBeUndefined();
});

test('resources of one subject are known side by side, each as of its own change', () => {
  const index = scene();
  index.keep(alice, billingApi, { sequence: 8, at: at(10), entries: [] });
  expect(index.find(alice, ordersDb, 7, at(10))).toBe(entries);
  expect(index.find(alice, billingApi, 8, at(10))).toEqual([]);
});
