import { expect, test } from 'vitest';
import { parseDay, printDay } from './day.js';

test('a day is its midnight in UTC, and is printed as it was written', () => {
  expect(parseDay('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
  expect(printDay(Date.UTC(2024, 1, 29, 23, 59, 59, 999))).toBe('2024-02-29');
});

test.for(['2026-02-29', '2026-04-31', '2026-13-01', '2026-1-1', '26-01-01', '2026-01-01T00:00:00Z', 'today', ''])(
  '%j is no day',
  (text) => expect(parseDay(text)).toBeNull(),
);
