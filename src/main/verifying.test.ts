import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Verification } from '../store/verify.js';
import { verifyBeside } from './verifying.js';

function scene(verifyAll: (giveWay?: () => Promise<void>) => Promise<Verification>, quiet = 50) {
  const alarms: unknown[] = [];
  const lines: string[] = [];
  const log = { info: (text: string) => lines.push(text), error: (_: unknown, text: string) => lines.push(text) };
  const running = verifyBeside({
    store: { verifyAll },
    log: log as never,
    alarm: (cause) => alarms.push(cause),
    mono: () => performance.now(),
    quiet,
  });
  return { ...running, alarms, lines };
}

test('damage is an alarm each, and a line in the log', async () => {
  const { alarms, lines, close } = scene(async () => ({ records: 3, damaged: ['this', 'that'] }));
  await expect.poll(() => lines, { timeout: 5_000 }).toEqual([expect.stringContaining('restore a backup')]);
  expect(alarms).toEqual([new Error('the store is damaged: this'), new Error('the store is damaged: that')]);
  await close();
});

test('closing ends it between two slices, and nobody is alarmed', async () => {
  let slices = 0;
  const { alarms, lines, close } = scene(async (giveWay) => {
    for (;;) {
      slices += 1;
      await giveWay!();
    }
  });
  await expect.poll(() => slices, { timeout: 5_000 }).toBeGreaterThan(10);
  await close();
  const before = slices;
  await setTimeout(20);
  expect({ slices, alarms, lines }).toEqual({ slices: before, alarms: [], lines: [] });
});

test('closing before it has begun is in order', async () => {
  const { close, alarms } = scene(() => Promise.reject(new Error('not asked')));
  await close();
  expect(alarms).toEqual([]);
});

test('while there is other work most of the time is left to it', async () => {
  let looked = 0;
  const { close } = scene(async (giveWay) => {
    for (;;) {
      const until = performance.now() + 1;
      while (performance.now() < until) looked += 0;
      looked += 1;
      await giveWay!();
    }
  });
  await expect.poll(() => looked, { timeout: 5_000 }).toBeGreaterThan(0);
  const other = setInterval(() => {
    const until = performance.now() + 1;
    while (performance.now() < until);
  }, 1);
  const before = looked;
  await setTimeout(300);
  clearInterval(other);
  await close();
  expect(looked - before).toBeLessThan(100); // of about 300 ms with nothing else to do
});
