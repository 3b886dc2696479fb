import { expect, test } from 'vitest';
import type { DecisionAnswer, SessionAnswer } from '../api/answers.js';
import { createEvidence } from './evidence.js';

const MINE = '192.0.2.7:4711';
const session = (over: Partial<SessionAnswer>) => ({ downstream: MINE, end: null, ...over }) as SessionAnswer;
const decision = (over: Partial<DecisionAnswer>) => ({ source: MINE, effect: 'allow', ...over }) as DecisionAnswer;
const END = { at: '2026-01-01T00:00:00Z', reason: 'cut', cutAfterMs: 3 };

/** A service that gives these answers, one look after the other; the last for ever. */
function looking(...answers: { sessions?: SessionAnswer[]; decisions?: DecisionAnswer[] }[]) {
  const asked: unknown[] = [];
  let looks = 0;
  const client = {
    get: async ({ path, query }: { path: readonly string[]; query: unknown }) => {
      asked.push([path.at(-1), query]);
      const answer = answers[Math.min(looks, answers.length - 1)]!;
      return { items: answer[path.at(-1) as 'sessions'] ?? [], next: null };
    },
  };
  const sleep = async () => void looks++;
  return { find: createEvidence(client as never, 'orders-db', { sleep }), asked, looks: () => looks };
}

test('a session is found by the address it came from, as soon as its guard has told that it ended', async () => {
  const ended = session({ id: 'ses_1', end: END });
  const other = session({ id: 'ses_2', downstream: '192.0.2.7:4712', end: END });
  const { find, asked, looks } = looking({}, { sessions: [session({ id: 'ses_1' })] }, { sessions: [other, ended] });
  expect(await find(MINE)).toEqual({ session: ended, decision: null });
  expect(looks()).toBe(2);
  const query = { mine: 'true', resource: 'orders-db', limit: '200' };
  expect(asked.slice(0, 2)).toEqual([
    ['sessions', query],
    ['decisions', query],
  ]);
});

test('where a check was denied there is no session to wait for', async () => {
  const denied = decision({ effect: 'deny', reason: 'bound_to_other_source' });
  const { find, looks } = looking({ decisions: [decision({ source: '192.0.2.7:1' }), denied] });
  expect(await find(MINE)).toEqual({ session: null, decision: denied });
  expect(looks()).toBe(0);
});

test('what is not found is looked for, but not for ever', async () => {
  const allowed = decision({});
  const { find, looks } = looking({ decisions: [allowed] });
  expect(await find(MINE)).toEqual({ session: null, decision: allowed });
  expect(looks()).toBe(5);
});

test('a service that fails is evidence of nothing', async () => {
  const get = async () => {
    throw new Error('away');
  };
  const find = createEvidence({ get }, 'orders-db', { sleep: async () => undefined });
  expect(await find(MINE)).toEqual({ session: null, decision: null });
});

test('a hundred that end together are looked for in two answers', async () => {
  const { find, asked } = looking({
    sessions: Array.from({ length: 100 }, (_, i) => session({ id: `ses_${i}`, downstream: `a:${i}`, end: END })),
  });
  const found = await Promise.all(Array.from({ length: 100 }, (_, i) => find(`a:${i}`)));
  expect(found.map((one) => one.session?.id)).toEqual(Array.from({ length: 100 }, (_, i) => `ses_${i}`));
  expect(asked.length).toBeLessThanOrEqual(4);
});
