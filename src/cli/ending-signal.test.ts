import { expect, test } from 'vitest';
import { endingSignal } from './ending-signal.js';
import { EXIT } from './exit-codes.js';

/** A process that is told things, at times. */
function told() {
  const hear: Record<string, () => void> = {};
  const endedWith: number[] = [];
  let now = 1_000;
  const signal = endingSignal({
    signals: { on: (name, listener) => (hear[name] = listener), endNow: (code) => void endedWith.push(code) },
    time: { wall: () => 0, mono: () => now, sleep: async () => undefined },
  });
  return {
    signal,
    endedWith,
    tell: (name: 'SIGTERM' | 'SIGINT', after = 0) => {
      now += after;
      hear[name]!();
    },
  };
}

test.for(['SIGTERM', 'SIGINT'] as const)('%s asks for an end in order', (name) => {
  const process = told();
  expect(process.signal.aborted).toBe(false);
  process.tell(name);
  expect(process.signal.aborted).toBe(true);
  expect(process.endedWith).toEqual([]);
});

test('told again, whichever way, the process ends at once', () => {
  const process = told();
  process.tell('SIGTERM');
  process.tell('SIGINT', 251);
  expect(process.endedWith).toEqual([EXIT.interrupted]);
});

test('what is told twice in a breath was told once', () => {
  const process = told();
  process.tell('SIGINT');
  process.tell('SIGINT', 250);
  expect(process.endedWith).toEqual([]);
  process.tell('SIGINT', 1);
  expect(process.endedWith).toEqual([EXIT.interrupted]);
});
