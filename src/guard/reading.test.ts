import { expect, test } from 'vitest';
import { at } from '../../test/builders.js';
import { guardId } from '../../test/guard-service/played-sessions.js';
import { isId } from '../domain/ids.js';
import { sessionIdOf, whole } from './reading.js';

test('the id of a session is the same whenever it is told, its own, and sorts by its start', () => {
  const of = (guard: number, number: number, ms: number) => sessionIdOf(guardId(guard), { number, startedAt: at(ms) });
  expect(of(1, 1, 5)).toBe(of(1, 1, 5));
  expect(new Set([of(1, 1, 5), of(1, 2, 5), of(2, 1, 5)]).size).toBe(3);
  expect(isId('ses', of(1, 1, 5))).toBe(true);
  for (let n = 1; n < 50; n++) expect(of(1, n, n) < of(1, n + 1, n + 1)).toBe(true);
});

test.for([
  [5, 5],
  [-1, 0],
  [NaN, 0],
  [0.5, Number.MAX_SAFE_INTEGER],
  [2 ** 60, Number.MAX_SAFE_INTEGER],
  [Infinity, Number.MAX_SAFE_INTEGER],
] as const)('%d off the wire is kept as %d', ([given, kept]) => {
  expect(whole(given)).toBe(kept);
});
