import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LifeCycle } from './life-cycle.js';
import type { Log } from './log.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function started() {
  const lines: string[] = [];
  const note = (_: object, text: string) => void lines.push(text);
  return { lines, life: new LifeCycle({ fatal: note, error: note } as unknown as Log) };
}

test('while it serves, nothing is denied for its sake', () => {
  expect(started().life.closed()).toBeNull();
});

test('it closes in the reverse order of opening, one after the other, and ends with code 0', async () => {
  const { life } = started();
  const order: string[] = [];
  for (const name of ['first', 'second', 'third']) {
    life.hold(name, name, async (held) => {
      await Promise.resolve();
      order.push(held);
    });
  }
  const ending = life.end();
  expect(life.closed()).toBe('shutting_down');
  await ending;
  expect(order).toEqual(['third', 'second', 'first']);
  expect(await life.ended).toBe(0);
});

test('a part that fails to close keeps no other from it', async () => {
  const { life, lines } = started();
  const order: string[] = [];
  life.hold('first', null, () => void order.push('first'));
  life.hold('second', null, () => Promise.reject(new Error('stuck')));
  await life.end();
  expect([order, lines]).toEqual([['first'], ['closing failed']]);
});

test('when storage fails everything is denied for that, from that moment on', () => {
  const { life } = started();
  life.failStop(new Error('EIO'));
  expect(life.closed()).toBe('storage_failed');
});

test('when storage fails the end comes with code 70, also where closing never comes back', async () => {
  const { life } = started();
  life.hold('store', null, () => new Promise<void>(() => undefined));
  life.failStop(new Error('EIO'));
  let code: number | undefined;
  void life.ended.then((ended) => (code = ended));
  await vi.advanceTimersByTimeAsync(499);
  expect(code).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(code).toBe(70);
});

test('storage that fails during an orderly end makes it one with code 70', async () => {
  const { life } = started();
  life.hold('store', null, () => new Promise<void>((resolve) => setTimeout(resolve, 100)));
  void life.end();
  life.failStop(new Error('EIO'));
  expect(life.closed()).toBe('storage_failed');
  await vi.advanceTimersByTimeAsync(100);
  expect(await life.ended).toBe(70);
});
