import { expect, test } from 'vitest';
import { fakeClock, type Duration } from '../domain/time.js';
import { createRateLimit } from './rate-limit.js';

function scene() {
  const clock = fakeClock();
  const rate = createRateLimit(clock, { burst: 3, perSecond: 2 });
  return { clock, rate, passed: (ms: number) => clock.advance(ms as Duration) };
}

test('so many calls go at once, and the next is told how many whole seconds to wait', () => {
  const { rate } = scene();
  expect([rate.take('a'), rate.take('a'), rate.take('a'), rate.take('a')]).toEqual([0, 0, 0, 1]);
});

test('a call becomes possible at the very millisecond at which a whole one has flowed in', () => {
  const { rate, passed } = scene();
  for (let i = 0; i < 3; i++) rate.take('a');
  passed(499);
  expect(rate.take('a')).toBe(1);
  passed(1);
  expect(rate.take('a')).toBe(0);
  expect(rate.take('a')).toBe(1);
});

test('a refused call costs nothing, and silence gives back no more than the burst', () => {
  const { rate, passed } = scene();
  for (let i = 0; i < 10; i++) rate.take('a');
  passed(1_000_000);
  expect([rate.take('a'), rate.take('a'), rate.take('a'), rate.take('a')]).toEqual([0, 0, 0, 1]);
});

test('each key has its own', () => {
  const { rate } = scene();
  for (let i = 0; i < 4; i++) rate.take('a');
  expect(rate.take('b')).toBe(0);
});

test('keys that have been silent are forgotten when there are very many, those that are waiting are not', () => {
  const { rate, passed } = scene();
  for (let i = 0; i < 3; i++) rate.take('busy');
  for (let i = 0; i < 9_999; i++) rate.take(`silent ${i}`);
  passed(500);
  // Now all but the busy one are full again.
  expect(rate.take('busy')).toBe(0);
  expect(rate.take('busy')).toBe(1);
});
