import { expect, test } from 'vitest';
import { Collected } from '../../../test/cli/typed.js';
import type { ExplanationAnswer } from '../api/answers.js';
import { watchEnd } from './warn.js';

const START = Date.parse('2026-01-01T09:00:00Z');
const MINUTE = 60_000;
const iso = (ms: number) => new Date(START + ms).toISOString();
const allowedUntil = (ms: number) => ({ effect: 'allow', endsAt: iso(ms) }) as ExplanationAnswer;
const denied = { effect: 'deny', reason: 'expired', endsAt: null } as ExplanationAnswer;

/** Watches an access that is said to end after `length`; `explain` gets the milliseconds that have passed. */
async function watched(length: number, explain: (passed: number) => ExplanationAnswer, abortAt = Infinity) {
  let passed = 0;
  const over = new AbortController();
  const stderr = new Collected(undefined);
  const said: string[] = [];
  let ended: ExplanationAnswer | null | undefined;
  const heard = () => {
    const lines = stderr.text.split('\n').slice(said.length, -1);
    said.push(...lines);
  };
  await watchEnd({
    standing: { resource: 'orders-db', explain: async () => explain(passed) },
    endsAt: iso(length),
    signal: over.signal,
    shell: {
      stderr,
      time: {
        wall: () => START + passed,
        mono: () => passed,
        sleep: async (ms) => {
          passed += ms;
          if (passed >= abortAt) over.abort();
        },
      },
    },
    ended: (explained) => {
      ended = explained;
    },
  });
  heard();
  return { said, ended, passed };
}

const fair = (length: number) => (passed: number) => (passed < length ? allowedUntil(length) : denied);

test('five minutes and one minute before the end a person is warned, and the end is noticed', async () => {
  const { said, ended, passed } = await watched(60 * MINUTE, fair(60 * MINUTE));
  expect(said).toEqual([
    `access to orders-db ends in 5m (${iso(60 * MINUTE)})`,
    `access to orders-db ends in 1m (${iso(60 * MINUTE)})`,
  ]);
  expect([ended, passed]).toEqual([denied, 60 * MINUTE]);
});

test.for([
  [5 * MINUTE, 1],
  [5 * MINUTE + 1, 2],
  [MINUTE, 0],
  [MINUTE + 1, 1],
])('with %d ms left at the start it warns %d times: what was just said is not said again', async ([length, times]) => {
  expect((await watched(length!, fair(length!))).said).toHaveLength(times!);
});

test('an extension takes the warnings along', async () => {
  const extended = (passed: number) => (passed < 20 * MINUTE ? allowedUntil(20 * MINUTE) : denied);
  const { said, ended, passed } = await watched(10 * MINUTE, extended);
  expect(said).toEqual([
    `access to orders-db ends in 5m (${iso(20 * MINUTE)})`,
    `access to orders-db ends in 1m (${iso(20 * MINUTE)})`,
  ]);
  expect([ended, passed]).toEqual([denied, 20 * MINUTE]);
});

test('an early end is noticed at the next mark at the latest', async () => {
  const revoked = { ...denied, reason: 'revoked' } as ExplanationAnswer;
  const { said, ended, passed } = await watched(60 * MINUTE, () => revoked);
  expect([said, ended, passed]).toEqual([[], revoked, 55 * MINUTE]);
});

test('a service that does not answer keeps nobody from being warned', async () => {
  const { said, ended, passed } = await watched(10 * MINUTE, () => {
    throw new Error('away');
  });
  expect([said.length, ended, passed]).toEqual([2, null, 10 * MINUTE]);
});

test('a clock that is ahead of the service by a minute ends nothing', async () => {
  const { ended, passed } = await watched(10 * MINUTE, (passed) =>
    passed < 11 * MINUTE ? allowedUntil(10 * MINUTE) : denied,
  );
  expect([ended, passed >= 11 * MINUTE, passed < 11 * MINUTE + 5_000]).toEqual([denied, true, true]);
});

test('when the session is over nothing more is said', async () => {
  const { said, ended } = await watched(60 * MINUTE, fair(60 * MINUTE), 55 * MINUTE);
  expect([said, ended]).toEqual([[], undefined]);
});
