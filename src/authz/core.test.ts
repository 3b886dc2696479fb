import { describe, expect, test } from 'vitest';
import { alice, at, corp, draftId, ordersDb, subject, T0 } from '../../test/builders.js';
import { decodeAnswer, encodeCheckRequest, type AnswerObject } from '../../test/check-requests.js';
import { world } from '../../test/world.js';
import type { Recorder } from '../access/recorder.js';
import { deny } from '../domain/decision.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { hours, type Instant, type Reading } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import { createCore, type CoreDependencies } from './core.js';
import { serializeAnswer } from './answer.js';
import { answering } from './handler.js';

const identifier: Identifier = {
  identify: () => ({
    subject: alice,
    trust: corp,
    validFrom: T0,
    validUntil: at(hours(9)),
    certificate: 'c',
    key: 'k',
  }),
  identifyDer: () => deny('malformed'),
};

const asking = encodeCheckRequest({ attributes: { source: { certificate: 'x' } } });

/** A log whose batch is written when, and as, the test says. */
const logThat = (recorded: () => Promise<void> | undefined): Recorder => ({
  add: recorded,
  isFull: () => false,
  flush: async () => {},
});

async function scene(over: Partial<CoreDependencies> = {}) {
  const w = world();
  await w.grant();
  const alarms: unknown[] = [];
  const observed: (readonly [string | null, number])[] = [];
  const alarm = (cause: unknown) => void alarms.push(cause);
  const core = createCore({
    ...w.needed,
    recorder: logThat(() => undefined),
    closed: () => null,
    alarm,
    identifier,
    gate: null,
    observe: (reason, seconds) => observed.push([reason, seconds]),
    ...over,
  });
  /** Through the handler, as the server calls it. */
  const call = (resource = ordersDb as string) =>
    new Promise<AnswerObject>((resolve) => {
      answering(core, { alarm })(asking, [resource], (answer) => resolve(decodeAnswer(serializeAnswer(answer))));
    });
  return { ...w, call, alarms, observed };
}

const reasonOf = (answer: AnswerObject) => answer.status?.message || 'allow';

test.for([
  ['alice', /^ask for access: portcullis request orders-db --reason/m, /no policy/],
  ['stranger', /^no policy lets you ask for it; speak to whoever looks after it$/m, /ask for access/],
] as const)('a refusal sends %s to ask only where a policy would admit them', async ([who, told, untold]) => {
  const as: Identifier = {
    ...identifier,
    identify: () => ({ ...identifier.identify('', T0), subject: subject(who) }),
  };
  const { call, clock } = await scene({ identifier: as });
  clock.advance(hours(2));
  const body = (await call()).deniedResponse?.body;
  expect(body).toMatch(told);
  expect(body).not.toMatch(untold);
});

test('grouped: the answer waits for no log', async () => {
  const { call } = await scene();
  expect(reasonOf(await call())).toBe('allow');
});

test('strict: the answer waits until its decision is on disk', async () => {
  let written = false;
  const recorder = logThat(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    written = true;
  });
  const { call } = await scene({ recorder });
  expect(reasonOf(await call())).toBe('allow');
  expect(written).toBe(true);
});

test('strict: a log that cannot be written is a deny and an alarm', async () => {
  const { call, alarms } = await scene({ recorder: logThat(() => Promise.reject(new Error('EIO'))) });
  expect(reasonOf(await call())).toBe('storage_failed');
  expect(alarms).toEqual([new Error('EIO')]);
});

test('strict: a log that hangs is a deny within about 100 ms', async () => {
  const { call } = await scene({ recorder: logThat(() => new Promise(() => {})) });
  const start = performance.now();
  expect(reasonOf(await call())).toBe('overloaded');
  expect(performance.now() - start).toBeLessThan(500);
});

test('a log that throws is a deny and an alarm', async () => {
  const { call, alarms } = await scene({
    recorder: logThat(() => {
      throw new Error('boom');
    }),
  });
  expect(reasonOf(await call())).toBe('condition_error');
  expect(alarms).toEqual([new Error('boom')]);
});

test('an identifier that throws is a deny and an alarm', async () => {
  const broken: Identifier = {
    ...identifier,
    identify: () => {
      throw new Error('boom');
    },
  };
  const { call, alarms } = await scene({ identifier: broken });
  expect(reasonOf(await call())).toBe('condition_error');
  expect(alarms).toEqual([new Error('boom')]);
});

/** A clock that has gone on by so much at its n-th reading, or become suspect there. */
function clockThat(...readings: readonly Partial<Reading>[]) {
  let n = 0;
  return {
    read: (): Reading => ({
      wall: (T0 + 1) as Instant,
      mono: 0,
      trusted: true,
      ...readings[Math.min(n++, readings.length - 1)],
    }),
  };
}

test('an allow that a pause has made too old on its way out is a deny; a deny keeps its reason', async () => {
  // Read: by the question, by the check, after the decision, before the answer.
  const late = () => clockThat({}, {}, {}, { mono: 151 });
  const { call, observed } = await scene({ clock: late() });
  expect(reasonOf(await call())).toBe('stale');
  expect(observed).toEqual([['stale', 0.151]]);
  const other = await scene({ clock: clockThat({}, {}, { mono: 151 }) });
  expect(reasonOf(await other.call('billing-api'))).toBe('no_grant');
});

test('an allow during which the clock has become suspect is a deny', async () => {
  const { call } = await scene({ clock: clockThat({}, {}, {}, { trusted: false }) });
  expect(reasonOf(await call())).toBe('stale');
  const suspect = await scene({ clock: clockThat({ trusted: false }) });
  expect(reasonOf(await suspect.call())).toBe('clock_suspect');
});

describe('a refusal leaves a draft', () => {
  const left = { id: draftId(), justification: 'optional' } as const;

  test('that its body names; what is allowed leaves none', async () => {
    const noted: DecisionRecord[] = [];
    const { call } = await scene({ drafts: { note: (record) => (noted.push(record), left) } });
    expect((await call('billing-api')).deniedResponse?.body).toContain(`draft: ${draftId()}\n`);
    expect(noted).toMatchObject([{ reason: 'no_grant', resource: 'billing-api', subject: alice }]);
    expect(reasonOf(await call())).toBe('allow');
    expect(noted).toHaveLength(1);
  });

  test('and where there is no room for one, no word of it', async () => {
    const { call } = await scene({ drafts: { note: () => null } });
    const body = (await call('billing-api')).deniedResponse?.body;
    expect(body).not.toContain('draft');
    expect(body).toContain('portcullis request billing-api');
  });

  test('or an alarm, and the answer is the same', async () => {
    const broken = {
      note: () => {
        throw new Error('boom');
      },
    };
    const { call, alarms } = await scene({ drafts: broken });
    expect(reasonOf(await call('billing-api'))).toBe('no_grant');
    expect(alarms).toEqual([new Error('boom')]);
  });
});
