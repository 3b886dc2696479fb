import { expect, test } from 'vitest';
import { bob, grant as grantOf, ordersDb, person, policy, policySet, T0 } from '../../test/builders.js';
import { guardScene } from '../../test/guard-service/scene.js';
import { REFUSED, until } from '../../test/guard-service/played-guard.js';
import { actorFor, alice } from '../../test/builders.js';
import { cutSession } from '../access/cut-session.js';
import { returnGrant, revokeGrant } from '../access/end-grant.js';
import { createLock, removeLock } from '../access/lock.js';
import { endInadmissible } from '../access/policy-change.js';
import type { GrantId } from '../domain/ids.js';
import { DamagedError } from '../store/store.js';
import { hours, minutes, seconds, type Duration } from '../domain/time.js';

const HOST = { kind: 'host' } as const;

test('a session that a guard tells is listed with what the grant says of it', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  expect(scene.live()[0]).toMatchObject({
    session: {
      grantId: id,
      subject: alice,
      person: 'alice',
      resource: ordersDb,
      protocol: 'gate',
      downstream: '192.0.2.7:4711',
      guard: guard.id,
      node: 'envoy-1',
    },
    upstream: '10.0.0.7:5432',
    endsAt: T0 + hours(1),
  });
});

test('a session ends no later than its grant, however long what its guard told was on its way', async () => {
  const scene = await guardScene();
  const { id, expiresAt } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id, { remainingMs: hours(1) + 22 });
  await scene.liveBecomes(1);
  expect(scene.live()[0]!.endsAt).toBe(expiresAt);
  guard.enter(id, { remainingMs: hours(1) - 22 });
  await scene.liveBecomes(2);
  expect(scene.live().map(({ endsAt }) => expiresAt - endsAt)).toEqual([0, 22]);
});

test('a revoked grant is cut at every guard, also where nothing of it is known', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const [first, second] = [await scene.connected(), await scene.connected()];
  const number = first.enter(id)!;
  await scene.liveBecomes(1);
  await revokeGrant(scene.needed, HOST, { id }, null);
  expect(await scene.side.settle(1_000)).toEqual([]);
  expect(first.ended.get(number)).toBe('CUT');
  expect([...second.tombstones.keys()]).toEqual([id]);
  await scene.liveBecomes(0);
  expect(scene.ended()).toMatchObject([{ end: { reason: 'revoked', bytesReceived: 100, bytesSent: 2_000 } }]);
  expect(scene.ended()[0]!.end!.cutAfter).not.toBeNull();
  expect([scene.measured.cut.length, scene.measured.left.length]).toEqual([1, 2]);
  expect(await scene.written('session.closed')).toMatchObject([{ end: { reason: 'revoked' } }]);
});

test('a cut says until when the guard must remember it, and which change it follows from', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  scene.clock.advance(minutes(10));
  await revokeGrant(scene.needed, HOST, { id }, null);
  await until(() => guard.commands('cut').length > 0, 'a cut');
  expect(guard.commands('cut')).toMatchObject([
    { sequence: expect.any(Number), cut: { grants: [{ grantId: id, remainingMs: minutes(50) }] } },
  ]);
  expect(guard.commands('cut')[0]!.sequence).toBeGreaterThanOrEqual(
    scene.entries().find(({ transition }) => transition.action === 'grant.ended')!.sequence,
  );
});

test('a returned grant is cut with that reason', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  await returnGrant(scene.needed, actorFor('alice'), { id }, null);
  await scene.liveBecomes(0);
  expect(scene.ended()[0]!.end!.reason).toBe('returned');
});

test.for([
  { kind: 'subject', subject: alice },
  { kind: 'person', person: person('alice') },
  { kind: 'resource', resource: ordersDb },
] as const)('a lock on a $kind cuts what it hits and ends no grant', async (target) => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  const { id: lockId } = await createLock(scene.needed, HOST, { target, reason: 'incident' }, null);
  await scene.liveBecomes(0);
  expect(scene.ended()[0]!.end!.reason).toBe('locked');
  await removeLock(scene.needed, HOST, lockId, null);
  const again = guard.enter(id, { asOf: scene.sequence() });
  await scene.liveBecomes(1);
  expect(again).not.toBeNull();
});

test('a lock reaches guards that have told nothing of what it hits', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  await createLock(scene.needed, HOST, { target: { kind: 'person', person: person('alice') }, reason: 'x' }, null);
  await scene.side.settle(1_000);
  expect([...guard.tombstones.keys()]).toEqual([id]);
});

test('a lock leaves alone what it does not hit', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  await createLock(scene.needed, HOST, { target: { kind: 'subject', subject: bob }, reason: 'x' }, null);
  expect(await scene.side.settle(1_000)).toEqual([]);
  expect([guard.tombstones.size, scene.live().length]).toEqual([0, 1]);
});

test('a policy that no longer admits a grant cuts its sessions, before anything is written down', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  scene.load(policySet({ policies: [] }));
  scene.side.tick();
  await scene.liveBecomes(0);
  expect(scene.ended()[0]!.end!.reason).toBe('policy_changed');
  await endInadmissible(scene.needed, scene.needed.policies.current);
  expect(await scene.side.settle(1_000)).toEqual([]);
});

test('what is told of a grant that has ended is cut, and everything under it', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  await revokeGrant(scene.needed, HOST, { id }, null);
  const guard = await scene.connected();
  const number = guard.enter(id)!;
  await until(() => guard.ended.has(number), 'the cut');
  expect(guard.tombstones.has(id)).toBe(true);
  await until(() => scene.ended().length === 1, 'the end');
  expect(scene.ended()[0]!.end!.reason).toBe('revoked');
});

test('what is told of a grant that has expired is cut', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  scene.clock.advance(hours(1));
  const guard = await scene.connected();
  const number = guard.enter(id)!;
  await until(() => guard.ended.has(number), 'the cut');
  await until(() => scene.ended().length === 1, 'the end');
  expect(scene.ended()[0]!.end!.reason).toBe('expired');
});

test.for(['gr_00000000000000000000000000', 'nonsense', ''])(
  'what is told under the grant %j, which there is not, is cut and alarmed',
  async (grant) => {
    const scene = await guardScene();
    const guard = await scene.connected();
    const number = guard.enter(grant)!;
    await until(() => guard.ended.has(number), 'the cut');
    expect(String(scene.alarms)).toMatch(/under a grant that there is not/);
    expect([...scene.side.all()]).toEqual([]);
  },
);

test('no session survives a revoke that falls between its allow and the word of its guard', async () => {
  const scene = await guardScene();
  const guard = await scene.connected();
  const one = await scene.grant();
  await revokeGrant(scene.needed, HOST, { id: one.id }, null);
  for (let round = 0; round < 300; round++) {
    const asOf = scene.sequence();
    const id = `gr_${String(round).padStart(26, '0')}` as GrantId;
    await scene.store.change(scene.clock.read().wall, (change) =>
      change.record(HOST, { action: 'grant.created', grant: { ...one, id, revision: change.nextSequence } }),
    );
    const revoked = revokeGrant(scene.needed, HOST, { id }, null);
    // The allow knew the grant and not its end; the word of it comes before, with or after the cut.
    for (let i = 0; i < round % 4; i++) await new Promise((resolve) => setImmediate(resolve));
    guard.enter(id, { asOf: asOf + 1 });
    await revoked;
  }
  await until(() => guard.sessions.size === 0, 'all of them to be cut');
  await scene.liveBecomes(0);
  expect(scene.alarms).toEqual([]);
});

test('a grant that covers as much takes over instead of a cut', async () => {
  const scene = await guardScene({ certificateUntil: () => undefined });
  const first = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(first.id)!;
  await scene.liveBecomes(1);
  const second = await scene.grant({ duration: hours(2) });
  await revokeGrant(scene.needed, HOST, { id: first.id }, null);
  expect(await scene.side.settle(1_000)).toEqual([]);
  expect(guard.sessions.get(number)!.grant).toBe(second.id);
  // Its certificate's end is not known, so it lasts no longer than before.
  expect(scene.live()).toMatchObject([{ grantId: second.id, endsAt: first.expiresAt, session: { grantId: first.id } }]);
  expect(guard.commands('cut')).toEqual([]);
  await revokeGrant(scene.needed, HOST, { id: second.id }, null);
  await scene.liveBecomes(0);
  expect(guard.sessions.size).toBe(0);
  // What was too short to be told still runs under the first.
  expect([...guard.tombstones.keys()].sort()).toEqual([first.id, second.id].sort());
});

test('a longer grant takes over before the end, as far as the certificate goes', async () => {
  const until90 = () => (T0 + minutes(90)) as typeof T0;
  const scene = await guardScene({ certificateUntil: until90 });
  const first = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(first.id)!;
  await scene.liveBecomes(1);
  const second = await scene.grant({ duration: hours(2) });
  await until(() => guard.commands('rebind').length === 1, 'a rebind');
  expect(guard.commands('rebind')).toMatchObject([
    { rebind: { sessions: [number], grantId: second.id, remainingMs: minutes(90), endsMs: T0 + minutes(90) } },
  ]);
  expect(scene.live()).toMatchObject([{ grantId: second.id, endsAt: T0 + minutes(90) }]);
});

test('a shorter grant takes nothing over, and one on another scope never', async () => {
  const scene = await guardScene();
  const first = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(first.id)!;
  await scene.liveBecomes(1);
  await scene.grant({ duration: minutes(10) });
  await scene.store.change(T0, (change) =>
    change.record(HOST, {
      action: 'grant.created',
      grant: grantOf({ ...first, id: 'gr_00000000000000000000000009' as GrantId, actions: ['read' as never] }),
    }),
  );
  scene.clock.advance(minutes(11));
  await revokeGrant(scene.needed, HOST, { id: first.id }, null);
  await until(() => guard.ended.has(number), 'the cut');
  expect(guard.commands('rebind')).toEqual([]);
});

test('a session that was told to last longer than its grant is shortened', async () => {
  const scene = await guardScene();
  const { id, expiresAt } = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(id, { remainingMs: hours(5) })!;
  await until(() => guard.commands('rebind').length === 1, 'a rebind');
  expect(guard.commands('rebind')).toMatchObject([
    { rebind: { sessions: [number], grantId: id, remainingMs: hours(1) } },
  ]);
  expect(scene.live()[0]!.endsAt).toBe(expiresAt);
});

test('a session is cut by hand, and that is written down with who wanted it', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(id)!;
  guard.enter(id);
  await scene.liveBecomes(2);
  const [{ session }] = scene.live() as [ReturnType<typeof scene.live>[number]];
  await cutSession({ ...scene.needed, sessions: scene.side }, actorFor('alice'), { id: session.id, why: 'mine' }, null);
  expect(await scene.side.settle(1_000)).toEqual([]);
  expect(guard.ended.get(number)).toBe('CUT');
  await scene.liveBecomes(1);
  expect(scene.ended()).toMatchObject([{ end: { reason: 'cut' }, cutBy: { by: 'alice', why: 'mine' } }]);
  expect(scene.entries().find(({ transition }) => transition.action === 'session.cut')).toMatchObject({
    actor: { person: 'alice' },
    transition: { why: 'mine', session: { id: session.id } },
  });
  // It says nothing of the grant: whoever holds it comes again.
  expect(guard.enter(id, { asOf: scene.sequence() })).not.toBeNull();
});

test('only its person and operators cut a session; others do not even find it', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  (await scene.connected()).enter(id);
  await scene.liveBecomes(1);
  const cut = (who: string) =>
    cutSession({ ...scene.needed, sessions: scene.side }, actorFor(who), { id: scene.live()[0]!.session.id }, null);
  await expect(cut('dave')).rejects.toMatchObject({ code: 'not_found' });
  await expect(cut('erin')).rejects.toMatchObject({ code: 'not_permitted' });
  await cut('carol');
  await scene.liveBecomes(0);
});

test('above the number of sessions that a policy allows the newest is cut', async () => {
  const policies = policySet({ policies: [policy({ sessions: { max: 2, idle: null } })] });
  const scene = await guardScene({ policies });
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const numbers = [guard.enter(id)!, guard.enter(id)!, guard.enter(id)!];
  await until(() => guard.ended.size === 1, 'a cut');
  expect([...guard.ended]).toEqual([[numbers[2], 'CUT']]);
  await until(() => scene.ended().length === 1, 'the end');
  expect(scene.ended()[0]!.end!.reason).toBe('too_many_sessions');
  guard.leave(numbers[0]!);
  await scene.liveBecomes(1);
  const next = guard.enter(id)!;
  await scene.liveBecomes(2);
  expect(guard.ended.has(next)).toBe(false);
});

test('a session without traffic for longer than its policy allows is cut as idle', async () => {
  const policies = policySet({ policies: [policy({ sessions: { max: null, idle: minutes(5) } })] });
  const scene = await guardScene({ policies });
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const [still, busy, tcp] = [guard.enter(id)!, guard.enter(id)!, guard.enter(id, { protocol: 'TCP' })!];
  await scene.liveBecomes(3);
  for (let minute = 0; minute < 6; minute++) {
    scene.clock.advance(minutes(1));
    guard.heartbeat({ traffic: [{ session: busy, bytesReceived: minute + 1, bytesSent: 7 }] });
    await until(() => scene.live().some(({ bytesReceived }) => bytesReceived === minute + 1), 'traffic');
    scene.side.tick();
  }
  await until(() => guard.ended.has(still), 'a cut');
  expect([...guard.ended]).toEqual([[still, 'IDLE']]);
  await until(() => scene.ended().length === 1, 'the end');
  expect(scene.ended()[0]!.end!.reason).toBe('idle');
  expect([guard.sessions.has(busy), guard.sessions.has(tcp)]).toEqual([true, true]);
});

test('a guard that does not end what is over is told to', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const number = guard.enter(id)!;
  await scene.liveBecomes(1);
  scene.clock.advance((hours(1) + 2_001) as Duration);
  guard.heartbeat();
  await until(() => scene.side.size.guards === 1, 'contact');
  await new Promise((resolve) => setTimeout(resolve, 20));
  scene.side.tick();
  await until(() => guard.ended.has(number), 'the cut');
  await until(() => scene.ended().length === 1, 'the end');
  expect(scene.ended()[0]!.end!.reason).toBe('expired');
});

test('heartbeats tell the time and the last change that can have ended access, and no other', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const heartbeat = async () => {
    const before = guard.heard.length;
    scene.side.tick();
    await until(() => guard.heard.slice(before).some(({ command }) => command === 0), 'a heartbeat');
    return guard.heard.findLast(({ command }) => command === 0)!;
  };
  const first = await heartbeat();
  expect(first).toMatchObject({ heartbeat: { wallMs: T0 } });
  guard.enter(id);
  await scene.liveBecomes(1);
  await scene.written('session.opened');
  expect((await heartbeat()).sequence).toBe(first.sequence);
  await revokeGrant(scene.needed, HOST, { id }, null);
  expect((await heartbeat()).sequence).toBeGreaterThan(first.sequence);
  scene.clock.distrust();
  expect(await heartbeat()).toMatchObject({ heartbeat: { wallMs: 0 } });
});

test('a clock that is suspect cuts nobody who is in', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  scene.clock.distrust();
  guard.enter(id);
  await scene.liveBecomes(1);
  expect(guard.ended.size).toBe(0);
});

test('what cannot be judged, because the store is damaged, is cut', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const whole = { ...scene.needed.store };
  Object.assign(scene.needed.store, {
    read: () => {
      throw new DamagedError('a record does not match its MAC');
    },
  });
  const number = guard.enter(id)!;
  await until(() => guard.ended.has(number), 'the cut');
  Object.assign(scene.needed.store, whole);
  expect(scene.alarms[0]).toBeInstanceOf(DamagedError);
});

test('a revoke cuts also when what is beside it cannot be judged', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  guard.enter(id);
  await scene.liveBecomes(1);
  const whole = { ...scene.needed.store };
  const revoked = revokeGrant(scene.needed, HOST, { id }, null);
  Object.assign(scene.needed.store, {
    read: () => {
      throw new DamagedError('a record does not match its MAC');
    },
  });
  await revoked;
  Object.assign(scene.needed.store, whole);
  await scene.liveBecomes(0);
  expect(guard.sessions.size).toBe(0);
});

test('a guard that goes wrong at its first word is no guard', async () => {
  const scene = await guardScene();
  const guard = scene.guard();
  guard.open();
  guard.heartbeat();
  await until(() => guard.over !== null, 'the end of the stream');
  expect(guard.over).toMatchObject({ code: REFUSED, details: 'the first message is no hello' });
  expect(scene.alarms).toHaveLength(1);
  expect(scene.side.size.guards).toBe(0);
});

test('settings reach the guard with the welcome', async () => {
  const scene = await guardScene({ settings: { contactGrace: seconds(5), tick: 50, maxSessions: 7 } });
  const guard = await scene.connected();
  expect(guard.heard[0]).toMatchObject({ command: 1, welcome: { tickMs: 50, contactGraceMs: 5_000, maxSessions: 7 } });
});
