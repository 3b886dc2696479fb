import { expect, test } from 'vitest';
import type { ExplanationAnswer } from '../api/answers.js';
import { createVerdicts } from './verdicts.js';

/** A service that answers when it is told to, with the number of the question as reason. */
function slowService() {
  const waiting: (() => void)[] = [];
  let asked = 0;
  return {
    asked: () => asked,
    answer: () => waiting.shift()!(),
    explain: () => {
      const reason = String(++asked);
      return new Promise<ExplanationAnswer>((resolve) =>
        waiting.push(() => resolve({ effect: 'deny', reason, endsAt: null } as ExplanationAnswer)),
      );
    },
  };
}

const time = { wall: () => 0, mono: () => 0, sleep: async () => undefined };
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('sessions that end together are one question, and later ones get an answer from after their end', async () => {
  const service = slowService();
  const ask = createVerdicts({ resource: 'x', explain: service.explain }, time);
  const first = [ask(), ask()];
  await settled();
  const later = Array.from({ length: 100 }, () => ask());
  await settled();
  expect(service.asked()).toBe(1);
  service.answer();
  expect((await Promise.all(first)).map((one) => one?.reason)).toEqual(['1', '1']);
  await settled();
  expect(service.asked()).toBe(2);
  service.answer();
  expect(new Set((await Promise.all(later)).map((one) => one?.reason))).toEqual(new Set(['2']));
});

test('a service that cannot be asked has no verdict, and is asked again next time', async () => {
  let isAway = true;
  const explain = async () => {
    if (isAway) throw new Error('away');
    return { effect: 'deny', endsAt: null } as ExplanationAnswer;
  };
  const ask = createVerdicts({ resource: 'x', explain }, time);
  expect(await ask()).toBeNull();
  isAway = false;
  expect(await ask()).toMatchObject({ effect: 'deny' });
});

test.for([
  [2_000, 'deny'],
  [2_001, 'allow'],
] as const)('what Envoy ends %d ms before the time is over: %s', async ([left, effect]) => {
  let now = 0;
  const explain = async () => ({ effect: now < left ? 'allow' : 'deny', endsAt: new Date(left).toISOString() });
  const clock = {
    wall: () => now,
    mono: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const ask = createVerdicts({ resource: 'x', explain: explain as never }, clock);
  expect(await ask()).toMatchObject({ effect });
});
