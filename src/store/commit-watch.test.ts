import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CommitWatch } from './commit-watch.js';

let late = 0;
let watch: CommitWatch;
beforeEach(() => {
  vi.useFakeTimers();
  late = 0;
  watch = new CommitWatch(5_000, () => (late += 1));
});
afterEach(() => {
  watch.end();
  vi.useRealTimers();
});

test('a commit that comes back within the deadline is not late', () => {
  watch.begin();
  vi.advanceTimersByTime(5_000);
  watch.reached();
  vi.advanceTimersByTime(60_000);
  expect(late).toBe(0);
});

test('a commit that does not come back is late, once', () => {
  watch.begin();
  vi.advanceTimersByTime(5_500);
  expect(late).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(late).toBe(1);
});

test('the next commit has the whole deadline', () => {
  watch.begin();
  vi.advanceTimersByTime(4_000);
  watch.reached();
  watch.begin();
  vi.advanceTimersByTime(5_000);
  expect(late).toBe(0);
});

test('nothing is late while nothing is under way', () => {
  vi.advanceTimersByTime(60_000);
  expect(late).toBe(0);
});
