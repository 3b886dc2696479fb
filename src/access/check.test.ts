import { expect, test } from 'vitest';
import { alice, billingApi, lock, ordersDb, policySet, subject, T0 } from '../../test/builders.js';
import { world } from '../../test/world.js';
import type { Question } from '../domain/decide.js';
import type { DenyReason } from '../domain/decision.js';
import { deny } from '../domain/decision.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { ACCESS } from '../domain/resource.js';
import { after, hours, minutes, type Instant, type Reading } from '../domain/time.js';
import { DamagedError, type Store } from '../store/store.js';
import { check, type CheckDependencies } from './check.js';
import { returnGrant } from './end-grant.js';
import { actorFor } from '../../test/builders.js';

const forever = after(T0, hours(1_000));
const asking = (over: Partial<Question> = {}): Question => ({
  subject: { is: alice, validUntil: forever },
  resource: { is: ordersDb },
  actions: [ACCESS],
  ...over,
});

function scene(over: Partial<CheckDependencies> = {}) {
  const w = world();
  const records: DecisionRecord[] = [];
  const alarms: unknown[] = [];
  let closed: DenyReason | null = null;
  const needed: CheckDependencies = {
    ...w.needed,
    recorder: { add: (record) => void records.push(record), isFull: () => false, flush: async () => {} },
    closed: () => closed,
    alarm: (cause) => alarms.push(cause),
    ...over,
  };
  return {
    ...w,
    records,
    alarms,
    close: (reason: DenyReason) => {
      closed = reason;
    },
    check: (question = asking()) => check(needed, { question, source: '10.0.0.1:1234', request: null }),
  };
}

test('the main job: no grant, pending, allowed, expired', async () => {
  const { check: ask, ask: request, review, clock } = scene();
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'no_grant' });
  const { id } = await request('alice');
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'pending_approval', requestId: id });
  const { grant } = await review('bob', id);
  expect(ask().decision).toMatchObject({ effect: 'allow', grantId: grant!.id, endsAt: grant!.expiresAt });
  clock.advance(hours(1));
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'expired', grantId: grant!.id });
});

test('every decision is recorded, with what it knew', async () => {
  const { check: ask, grant, records, clock } = scene();
  const { id, requestId, policy } = await grant();
  const { record } = ask();
  expect(records).toEqual([record]);
  expect(record).toEqual({
    id: record.id,
    at: clock.read().wall,
    effect: 'allow',
    reason: null,
    subject: alice,
    person: 'alice',
    resource: ordersDb,
    actions: ['access'],
    grantId: id,
    requestId,
    policy,
    lockId: null,
    source: '10.0.0.1:1234',
    request: null,
    message: null,
    asOf: 4,
  });
});

test('a grant is for its subject and its resource alone', async () => {
  const { check: ask, grant } = scene();
  await grant();
  expect(ask(asking({ subject: { is: subject('dave'), validUntil: forever } })).decision).toMatchObject({
    reason: 'no_grant',
  });
  expect(ask(asking({ resource: { is: billingApi } })).decision).toMatchObject({ reason: 'no_grant' });
});

test('a revoke or return that was answered is obeyed by the next check', async () => {
  const { check: ask, grant, needed } = scene();
  const { id } = await grant();
  expect(ask().decision.effect).toBe('allow');
  await returnGrant(needed, actorFor('alice'), { id }, null);
  expect(ask().decision).toMatchObject({ reason: 'returned', grantId: id });
});

test('of two overlapping grants the end of one leaves the other', async () => {
  const { check: ask, grant, needed, clock } = scene();
  const short = await grant();
  clock.advance(minutes(10));
  const long = await grant({ duration: hours(2) });
  expect(ask().decision).toMatchObject({ grantId: long.id });
  await returnGrant(needed, actorFor('alice'), { id: long.id }, null);
  expect(ask().decision).toMatchObject({ effect: 'allow', grantId: short.id });
});

test('a policy that no longer admits the grant is obeyed from the moment it is loaded', async () => {
  const { check: ask, grant, load } = scene();
  await grant();
  load(policySet({ groups: { dev: ['dave'], sre: ['bob'] } }));
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'policy_changed' });
});

test('what could not be read is the answer', () => {
  const { check: ask, records } = scene();
  expect(ask(asking({ subject: deny('no_certificate') })).decision).toMatchObject({ reason: 'no_certificate' });
  expect(records[0]).toMatchObject({ subject: null, person: null, reason: 'no_certificate' });
});

test('while the service is closed every answer is that reason', async () => {
  const { check: ask, grant, close } = scene();
  await grant();
  close('shutting_down');
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'shutting_down' });
});

const failing = (error: unknown): Store => ({
  ...world().store,
  read: () => {
    throw error;
  },
});

test('damage is a deny and an alarm; so is any other exception', async () => {
  for (const [error, reason] of [
    [new DamagedError('record without its MAC'), 'storage_failed'],
    [new TypeError('a bug'), 'condition_error'],
  ] as const) {
    const { check: ask, alarms } = scene({ store: failing(error) });
    expect(ask().decision).toMatchObject({ effect: 'deny', reason });
    expect(alarms).toEqual([error]);
  }
});

test('a lost lock is a deny of everything', async () => {
  const { needed, grant } = world();
  await grant();
  const holed: Store = {
    ...needed.store,
    read: (use) =>
      needed.store.read((snapshot) =>
        use(
          Object.assign(Object.create(snapshot) as typeof snapshot, {
            locks: () => {
              throw new DamagedError(`lock ${lock().id} is missing`);
            },
          }),
        ),
      ),
  };
  const { check: ask } = scene({ ...needed, store: holed });
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'storage_failed' });
});

test('what cannot be recorded is not allowed, and denies do not wait', async () => {
  const w = world();
  await w.grant();
  const full = { add: () => undefined, isFull: () => true, flush: async () => {} };
  const { check: ask } = scene({ ...w.needed, recorder: full });
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'overloaded' });
  expect(ask(asking({ resource: { is: billingApi } })).decision).toMatchObject({ reason: 'no_grant' });
});

test('with a full disk nothing is allowed', async () => {
  const { check: ask, grant, disk } = scene();
  await grant();
  disk.level = 'endings_only';
  expect(ask().decision.effect).toBe('allow');
  disk.level = 'nothing';
  expect(ask().decision).toMatchObject({ effect: 'deny', reason: 'storage_failed' });
});

test('a decision that a pause has made older than 150 ms is a deny, recorded as such', async () => {
  const w = world();
  await w.grant();
  for (const [pause, effect] of [
    [150, 'allow'],
    [151, 'deny'],
  ] as const) {
    let mono = 0;
    const pausing = {
      read: (): Reading => ({ wall: (T0 + 1) as Instant, mono: (mono += pause) - pause, trusted: true }),
    };
    const { check: ask, records } = scene({ ...w.needed, clock: pausing });
    expect(ask().decision).toMatchObject(effect === 'allow' ? { effect } : { effect, reason: 'stale' });
    expect(records[0]).toMatchObject({ effect });
  }
});

test('a suspect clock denies', async () => {
  const { check: ask, grant, clock } = scene();
  await grant();
  clock.distrust();
  expect(ask().decision).toMatchObject({ reason: 'clock_suspect' });
});
