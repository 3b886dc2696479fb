import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Instant } from '../domain/time.js';
import * as keys from './keys.js';
import type { Key, KeyRange } from './keys.js';

// Few texts and numbers, among them such that look like length prefixes and like the end of one part and the start of
// the next, so that tuples which run into each other would be found.
const text = fc.constantFrom(
  '',
  'a',
  'aa',
  'ab',
  'b',
  '\u0001',
  '\u0001a',
  'a\u0001b',
  '\u0000',
  ' ',
) as fc.Arbitrary<never>;
const number = fc.constantFrom(0, 1, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER) as fc.Arbitrary<never>;

interface Made {
  readonly name: string;
  readonly parts: readonly unknown[];
  readonly key: Key;
}

/** Keys of one function, together with what they are made of. */
const made = (make: (...parts: never[]) => Key, ...parts: readonly fc.Arbitrary<never>[]): fc.Arbitrary<Made> =>
  fc.tuple(...parts).map((values) => ({ name: make.name, parts: values, key: make(...values) }));

const anyKey = fc.oneof(
  fc.constantFrom<Made>(
    { name: 'stamp', parts: [], key: keys.STAMP_KEY },
    { name: 'head', parts: [], key: keys.HEAD_KEY },
    { name: 'self-test', parts: [], key: keys.SELF_TEST_KEY },
  ),
  ...[keys.requestKey, keys.grantKey, keys.lockKey, keys.tokenKey].map((make) => made(make, text)),
  made(keys.entryKey, number),
  made(keys.reviewKey, text, number),
  ...[keys.grantBySubjectKey, keys.pendingBySubjectKey].map((make) => made(make, text, text, number, text)),
  ...[keys.requestByCreationKey, keys.grantByCreationKey, keys.tokenByCreationKey].map((make) =>
    made(make, number, text),
  ),
  ...[keys.requestByPersonKey, keys.grantByPersonKey, keys.tokenByMakerKey].map((make) =>
    made(make, text, number, text),
  ),
  ...[keys.pendingByLapseKey, keys.grantByEndKey].map((make) => made(make, number, number, text)),
  made(keys.pendingByPersonKey, text, number, number, text),
  ...[keys.tokenByHashKey, keys.answerKey].map((make) => made(make, text, text)),
  made(keys.decisionsKey, number, number, number),
);

test('two keys are the same bytes only when they are made of the same things', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      expect(a.key.equals(b.key)).toBe(isDeepStrictEqual([a.name, a.parts], [b.name, b.parts]));
    }),
    { numRuns: 5_000 },
  );
});

test('a key taken apart and put together again is the same key', () => {
  fc.assert(
    fc.property(anyKey, ({ key }) => {
      expect(keys.keyOf(key[0] as keys.Kind, ...keys.partsOf(key))).toEqual(key);
    }),
    { numRuns: 500 },
  );
});

test('the longest key fits into LMDB, which takes 1978 bytes', () => {
  const resource = 'x'.repeat(63) as never;
  const id = `gr_${'z'.repeat(26)}` as never;
  const end = Number.MAX_SAFE_INTEGER as Instant;
  expect(keys.grantBySubjectKey('s'.repeat(2_048) as never, resource, end, id)).toHaveLength(137);
});

test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('%f is no number for a key', (n) => {
  expect(() => keys.entryKey(n)).toThrow(RangeError);
});

test('a part above 255 bytes is refused and not cut', () => {
  expect(() => keys.grantKey('x'.repeat(256) as never)).toThrow(RangeError);
});

describe('ranges', () => {
  const holds = ({ start, end }: KeyRange, key: Key) => start.compare(key) <= 0 && key.compare(end) < 0;

  test('have the keys of their own tuple and no others', () => {
    fc.assert(
      fc.property(text, text, text, text, number, text, (subject, resource, otherSubject, otherResource, end, id) => {
        const key = keys.grantBySubjectKey(otherSubject, otherResource, end, id);
        const same = subject === otherSubject && resource === otherResource;
        expect(holds(keys.grantsOf(subject, resource), key)).toBe(same);
        expect(holds(keys.pendingOf(subject, resource), key)).toBe(false);
        expect(holds(keys.tokensWithHash(subject), keys.tokenByHashKey(otherSubject, id))).toBe(
          subject === otherSubject,
        );
        expect(holds(keys.reviewsOf(subject), keys.reviewKey(otherSubject, end))).toBe(subject === otherSubject);
      }),
      { numRuns: 1_000 },
    );
  });

  test('end after the last key even where the prefix ends with 0xff', () => {
    const person = Array.from({ length: 2_000 }, (_, n) => `p${n}`).find(
      (name) => keys.grantsByCreation(name as never).start.at(-1) === 0xff,
    ) as never;
    const range = keys.grantsByCreation(person);
    expect(holds(range, keys.grantByPersonKey(person, Number.MAX_SAFE_INTEGER as Instant, 'gr_z' as never))).toBe(true);
  });

  test('of what ends after an instant leave out what ends at it', () => {
    const ending = (end: number) => keys.grantByEndKey(end as Instant, 0 as Instant, 'gr_' as never);
    const range = keys.endingAfter(100 as Instant);
    expect([99, 100, 101].map((end) => holds(range, ending(end)))).toEqual([false, false, true]);
    const lapsing = (end: number) => keys.pendingByLapseKey(end as Instant, 0 as Instant, 'req_' as never);
    expect([99, 100, 101].map((end) => holds(keys.lapsingAfter(100 as Instant), lapsing(end)))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('of what waits of one person leave out others, and what lapses at the instant', () => {
    const alices = keys.lapsingAfter(100 as Instant, 'alice' as never);
    const lapsing = (who: string, end: number) =>
      keys.pendingByPersonKey(who as never, end as Instant, 0 as Instant, 'req_' as never);
    expect([99, 100, 101].map((end) => holds(alices, lapsing('alice', end)))).toEqual([false, false, true]);
    expect(holds(alices, lapsing('bob', 101))).toBe(false);
  });

  test('of answers before an instant leave out those of it', () => {
    const range = keys.answersBefore(100 as Instant);
    const answered = (at: number) => keys.answerByTimeKey(at as Instant, keys.answerKey('a', 'k'));
    expect([99, 100].map((at) => holds(range, answered(at)))).toEqual([true, false]);
  });
});

test('grants of a subject lie with the latest end first, and end and id can be read back', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (one, other) => {
      const id = `gr_${'0'.repeat(26)}` as never;
      const [a, b] = [one, other].map((end) => keys.grantBySubjectKey('s' as never, 'r' as never, end as Instant, id));
      expect(Math.sign(a!.compare(b!))).toBe(Math.sign(other - one));
      expect(keys.endAndIdIn(a!, keys.grantsOf('s' as never, 'r' as never))).toEqual({ end: one, id });
    }),
  );
});

test('the key of an answer can be read from its entry by time', () => {
  const answer = keys.answerKey('person alice', 'key');
  expect(keys.answerKeyIn(keys.answerByTimeKey(5 as Instant, answer))).toEqual(answer);
});

test('a creation key within a range is the one the thing is listed under', () => {
  const place = { at: 5 as Instant, id: 'gr_1' };
  expect(keys.creationKeyIn(keys.grantsByCreation(), place)).toEqual(
    keys.grantByCreationKey(place.at, 'gr_1' as never),
  );
  expect(keys.creationKeyIn(keys.grantsByCreation('p' as never), place)).toEqual(
    keys.grantByPersonKey('p' as never, place.at, 'gr_1' as never),
  );
});
