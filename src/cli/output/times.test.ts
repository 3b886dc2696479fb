import { afterEach, beforeEach, expect, test } from 'vitest';
import { localTime, relativeTime } from './times.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (ms: number) => new Date(NOW + ms).toISOString();
const MINUTE = 60_000;

test.for([
  [0, 'now'],
  [999, 'now'],
  [1_000, 'in 1s'],
  [1_001, 'in 2s'],
  [60 * MINUTE - 1, 'in 1h'],
  [60 * MINUTE - 1_000, 'in 59m'],
  [42 * MINUTE, 'in 42m'],
  [42 * MINUTE + 30_000, 'in 42m'],
  [9 * MINUTE + 59_000, 'in 9m59s'],
  [10 * MINUTE, 'in 10m'],
  [192 * MINUTE, 'in 3h12m'],
  [-192 * MINUTE, '3h12m ago'],
  [25 * 60 * MINUTE + 30 * MINUTE, 'in 1d1h'],
  [-1_500, '1s ago'],
] as const)('%d ms from now is %s', ([ms, text]) => {
  expect(relativeTime(at(ms), NOW)).toBe(text);
});

test('what is no instant is shown as it came', () => {
  expect(relativeTime('soon', NOW)).toBe('soon');
  expect(localTime('soon', NOW)).toBe('soon');
});

const zone = process.env['TZ'];
beforeEach(() => {
  process.env['TZ'] = 'America/New_York';
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('a local time has its day only where that is another', () => {
  expect(localTime('2026-01-01T14:03:07.999Z', NOW)).toBe('09:03:07');
  // In New York it is still the last day of the year.
  expect(localTime('2026-01-01T04:03:07.000Z', NOW)).toBe('12-31 23:03:07');
});
