import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { at, T0 } from '../../test/builders.js';
import { checkedClock, days, type Instant } from '../domain/time.js';
import { watchClock } from './clock-watch.js';
import { createLog } from './log.js';

/** What the log says when a service starts with this mark and this clock. */
function saidAtStart(mark: Instant, wall: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const clock = checkedClock(
    () => wall,
    () => 0,
    mark,
  );
  watchClock(clock, createLog({ level: 'info', version: 'test', file }), { wall, mark }).close();
  return readFileSync(file, 'utf8');
}

test('a clock that leaps ahead at the start is told with both times and with the way to confirm it', () => {
  const said = saidAtStart(T0, at(days(40)));
  expect(said).toContain('showed 2026-02-10T00:00:00.000Z');
  expect(said).toContain('the latest time in the store, 2026-01-01T00:00:00.000Z');
  expect(said).toContain('--clock-confirmed 2026-02-10');
});

test('a clock before the mark is told with both times and without a way around it', () => {
  const said = saidAtStart(T0, at(-3_600_000));
  expect(said).toContain('showed 2025-12-31T23:00:00.000Z, which is before the latest time');
  expect(said).not.toContain('--clock-confirmed');
});

test('a clock that is right is not told of', () => {
  expect(saidAtStart(T0, at(days(1)))).toBe('');
});
