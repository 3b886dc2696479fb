import { describe, expect, test } from 'vitest';
import { decodeAnswer } from '../../test/check-requests.js';
import { plainDeny, serializeAnswer, type Answer } from './answer.js';
import type { Core } from './core.js';
import { answering } from './handler.js';
import { HeldAnswer } from './held-answer.js';

/** Calls the handler and gives every answer it sends within 150 ms, with the time of the first. */
async function call(core: Core) {
  const alarms: unknown[] = [];
  const answers: Answer[] = [];
  const start = performance.now();
  let firstAfter = Infinity;
  answering(core, { alarm: (cause) => alarms.push(cause) })(Buffer.alloc(0), [], (answer) => {
    if (answers.length === 0) firstAfter = performance.now() - start;
    answers.push(answer);
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const reasons = answers.map((bytes) => decodeAnswer(serializeAnswer(bytes)).status);
  return { reasons, alarms, firstAfter };
}

const given = plainDeny('no_grant');
const denied = (message: string) => [expect.objectContaining({ message, code: expect.any(Number) })];

test('an answer goes out as it is, at once', async () => {
  expect((await call(() => given)).reasons).toEqual(denied('no_grant'));
  expect((await call(async () => given)).reasons).toEqual(denied('no_grant'));
});

test('a throw is a deny and an alarm', async () => {
  const { reasons, alarms, firstAfter } = await call(() => {
    throw new Error('boom');
  });
  expect(reasons).toEqual(denied('condition_error'));
  expect(alarms).toEqual([new Error('boom')]);
  expect(firstAfter).toBeLessThan(100);
});

test('a rejection is a deny and an alarm', async () => {
  const { reasons, alarms } = await call(() => Promise.reject(new Error('boom')));
  expect(reasons).toEqual(denied('condition_error'));
  expect(alarms).toHaveLength(1);
});

test('a hang is a deny within about 100 ms, and the answer that comes later goes nowhere', async () => {
  const late = new Promise<Answer>((resolve) => setTimeout(() => resolve(given), 120));
  const { reasons, firstAfter } = await call(() => late);
  expect(reasons).toEqual(denied('overloaded'));
  expect(firstAfter).toBeGreaterThan(90);
});

test('a rejection after the time is up is an alarm and no second answer', async () => {
  const late = new Promise<Answer>((_, reject) => setTimeout(() => reject(new Error('late')), 120));
  const { reasons, alarms } = await call(() => late);
  expect(reasons).toHaveLength(1);
  expect(alarms).toEqual([new Error('late')]);
});

test('a double answer is one answer', async () => {
  // A thenable that resolves twice, as no promise would.
  const twice = {
    // oxlint-disable-next-line unicorn/no-thenable -- the point of the test
    then(resolve: (value: Answer) => void) {
      resolve(plainDeny('expired'));
      resolve(given);
      return Promise.resolve();
    },
  };
  expect((await call(() => twice as unknown as Promise<Answer>)).reasons).toEqual(denied('expired'));
});

test('nothing at all, null and a foreign value are denies', async () => {
  for (const value of [undefined, null, {}, 0, '']) {
    const { reasons } = await call(() => value as Answer);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]?.code).toBeGreaterThan(0);
  }
});

test('an alarm that throws takes no answer away', async () => {
  for (const core of [
    () => Promise.reject(new Error('boom')),
    () => {
      throw new Error('boom');
    },
  ] as Core[]) {
    const answers: Answer[] = [];
    const alarm = () => {
      throw new Error('the log is gone');
    };
    answering(core, { alarm })(Buffer.alloc(0), [], (answer) => answers.push(answer));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(answers).toEqual([plainDeny('condition_error')]);
  }
});

describe('a check that is held', () => {
  const held = (answer: Promise<Answer>, longest: number) => {
    const cancelled: string[] = [];
    const answers: Answer[] = [];
    const alarms: unknown[] = [];
    const giveUp = answering(() => new HeldAnswer(answer, longest, () => cancelled.push('cancelled')), {
      alarm: (cause) => alarms.push(cause),
    })(Buffer.alloc(0), [], (one) => answers.push(one));
    return { giveUp: giveUp!, cancelled, answers, alarms };
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test('may take longer than the patience for all others', async () => {
    const { answers } = held(
      pause(150).then(() => given),
      1_000,
    );
    await pause(130);
    expect(answers).toEqual([]);
    await pause(40);
    expect(answers).toEqual([given]);
  });

  test('but not longer than it said: then it hangs like any other', async () => {
    const { answers } = held(new Promise(() => {}), 20);
    await pause(100);
    expect(answers).toEqual([]);
    await pause(60);
    expect(answers).toEqual([plainDeny('overloaded')]);
  });

  test('is answered by nothing once whoever asked has given up', async () => {
    const { giveUp, answers, cancelled } = held(
      pause(30).then(() => given),
      10,
    );
    giveUp();
    await pause(150);
    expect([answers, cancelled]).toEqual([[], ['cancelled']]);
  });

  test('that fails is a deny and an alarm', async () => {
    const { answers, alarms } = held(Promise.reject(new Error('boom')), 1_000);
    await pause(10);
    expect([answers, alarms]).toEqual([[plainDeny('condition_error')], [new Error('boom')]]);
  });
});

test('what is not held has nothing to give up', () => {
  const handler = (core: Core) => answering(core, { alarm: () => {} })(Buffer.alloc(0), [], () => {});
  expect([handler(() => given), handler(async () => given)]).toEqual([undefined, undefined]);
});
