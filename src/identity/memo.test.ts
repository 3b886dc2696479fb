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

test('a key of 16,384 characters is not kept, one of 16,383 is', () => {
  const { asked, remember } = looking(2);
  for (const length of [16_384, 16_384, 16_383, 16_383]) remember('k'.repeat(length));
  expect(asked.map((key) => key.length)).toEqual([16_384, 16_384, 16_383]);
});
