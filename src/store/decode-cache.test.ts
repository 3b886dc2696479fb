import { expect, test } from 'vitest';
import { DecodeCache } from './decode-cache.js';

const bytes = (text: string) => Buffer.from(text);

test('finds what was decoded from exactly these bytes under this name', () => {
  const cache = new DecodeCache(10);
  cache.add('grant', bytes('old'), { end: null });
  expect(cache.find('grant', bytes('old'), 3)).toEqual({ end: null });
  for (const [name, other] of [
    ['grant', 'new'],
    ['grant', 'olds'],
    ['grant', 'ol'],
    ['grant', ''],
    ['other', 'old'],
  ] as const) {
    expect(cache.find(name, bytes(other), other.length)).toBeUndefined();
  }
});

test('only the first bytes of a longer buffer count', () => {
  const cache = new DecodeCache(10);
  cache.add('grant', bytes('old'), 1);
  expect(cache.find('grant', bytes('old and more'), 3)).toBe(1);
});

test('newer bytes take the place of older ones', () => {
  const cache = new DecodeCache(10);
  cache.add('grant', bytes('old'), 1);
  cache.add('grant', bytes('new'), 2);
  expect(cache.find('grant', bytes('old'), 3)).toBeUndefined();
  expect(cache.find('grant', bytes('new'), 3)).toBe(2);
});

test('forgets what was not asked for, and keeps what was', () => {
  const cache = new DecodeCache(10);
  cache.add('asked for', bytes('a'), 1);
  cache.add('left alone', bytes('b'), 2);
  for (let n = 0; n < 100; n++) {
    cache.add(`other ${n}`, bytes('c'), 3);
    cache.find('asked for', bytes('a'), 1);
  }
  expect(cache.find('asked for', bytes('a'), 1)).toBe(1);
  expect(cache.find('left alone', bytes('b'), 1)).toBeUndefined();
});

test('what is kept cannot be changed by those who get it', () => {
  const cache = new DecodeCache(10);
  cache.add('grant', bytes('old'), { actions: ['read'] });
  const kept = cache.find('grant', bytes('old'), 3) as { actions: string[] };
  expect(() => kept.actions.push('write')).toThrow(TypeError);
});
