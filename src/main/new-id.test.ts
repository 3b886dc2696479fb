import { expect, test } from 'vitest';
import { at } from '../../test/builders.js';
import { isId } from '../domain/ids.js';
import { newId } from './new-id.js';

test('an id has its prefix and sorts by the instant it was made for', () => {
  const ids = [0, 1, 2, 1_000, 86_400_000].map((ms) => newId('req', at(ms)));
  for (const id of ids) expect(isId('req', id)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
});

test('a hundred thousand ids of one instant are all different', () => {
  expect(new Set(Array.from({ length: 100_000 }, () => newId('dec', at(0)))).size).toBe(100_000);
});
