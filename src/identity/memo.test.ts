import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { remembering } from './memo.js';

/** Looks, and keeps the keys it was asked for. Keys tell the outcome: `bad…` is refused, `…?` may change. */
function looking(capacity: number) {
  const asked: string[] = [];
  const remember = remembering(capacity, (key) => {
    asked.push(key);
    return { refused: key.startsWith('bad'), lasting: !key.endsWith('?'), key };
  });
  return { asked, remember };
}

test.for(['good', 'bad'])('what was found for %j is found again without a look', (key) => {
  const { asked, remember } = looking(10);
  expect(remember(key)).toBe(remember(key));
  expect(asked).toEqual([key]);
});

test.for(['good?', 'bad?'])('what may change is looked for again: %j', (key) => {
  const { asked, remember } = looking(10);
  remember(key);
  remember(key);
  expect(asked).toEqual([key, key]);
});

test('refusals do not push out what was found', () => {
  const { asked, remember } = looking(2);
  remember('good');
  for (let i = 0; i < 10; i++) remember(`bad${i}`);
  remember('good');
  expect(asked.filter((key) => key === 'good')).toEqual(['good']);
});

test('only the keys used last are remembered', () => {
  const { asked, remember } = looking(2);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) remember(key);
  expect(asked).toEqual(['a', 'b', 'c', 'b']);
});

test('of findings with long keys fewer are remembered: 4,096 characters each on the average', () => {
  const { asked, remember } = looking(8);
  const keys = ['a', 'b', 'c'].map((first) => first + 'k'.repeat(16_000));
  for (const key of [...keys, ...keys.toReversed()]) remember(key);
  expect(asked.map((key) => key[0])).toEqual(['a', 'b', 'c', 'a']);
});

test('no more than the last 1,000 refusals are remembered', () => {
  const { asked, remember } = looking(10_000);
  for (let i = 0; i <= 1_000; i++) remember(`bad${i}`);
  remember('bad1');
  expect(asked).toHaveLength(1_001);
  remember('bad0');
  expect(asked.at(-1)).toBe('bad0');
  expect(asked).toHaveLength(1_002);
});

test('a refusal is remembered under a key of any length, and keeps none of it in memory', () => {
  const remember = remembering(10_000, () => ({ refused: true, lasting: true }));
  const key = (n: number) => Buffer.alloc(16_000, `${n} `).toString('latin1');
  remember(key(0));
  const before = heapUsed();
  for (let n = 0; n < 1_000; n++) remember(key(n));
  expect(heapUsed() - before).toBeLessThan(2_000_000); // The keys alone are 16 MB.
  expect(remember('x'.repeat(60_000))).toBe(remember('x'.repeat(60_000)));
});

/** In bytes, after everything that nobody needs has gone. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('a good key of 16,384 characters is not kept, one of 16,383 is', () => {
  const { asked, remember } = looking(2);
  for (const length of [16_384, 16_384, 16_383, 16_383]) remember('k'.repeat(length));
  expect(asked.map((key) => key.length)).toEqual([16_384, 16_384, 16_383]);
});
