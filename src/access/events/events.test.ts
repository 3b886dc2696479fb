import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { actorFor, alice, person, request, subject } from '../../../test/builders.js';
import { world } from '../../../test/world.js';
import { bornFrom } from '../../domain/grant.js';
import { hours, minutes, seconds, type Duration } from '../../domain/time.js';
import { revokeGrant } from '../end-grant.js';
import { createLock } from '../lock.js';
import { withdrawRequest } from '../request.js';
import { Events, MAX_BEHIND } from './events.js';
import type { Position } from './position.js';

/** A world in which somebody listens, and one more beginning of the service each time it is asked for. */
function scene() {
  const w = world();
  return { ...w, begin: () => new Events({ ...w.needed, feed: w.feed, alarm: (cause) => w.alarms.push(cause) }) };
}

type Scene = ReturnType<typeof scene>;

/** Everything after a position, as types and keys. */
function heard(events: Events, position: Position) {
  const all: string[] = [];
  let at = position;
  for (;;) {
    const batch = events.after(at);
    if (batch === null) throw new Error('reset');
    all.push(...batch.events.map(({ told }) => told.event.type));
    at = batch.position;
    if (!batch.isMore) return { types: all, position: at };
  }
}

const pass = ({ clock, events }: Scene, length: Duration) => {
  clock.advance(length);
  events.tick();
};

test('changes are heard in their order, by the names that the audit log has for them', async () => {
  const s = scene();
  const { position } = s.events;
  const { id } = await s.ask('alice');
  const granted = (await s.review('bob', id)).grant!;
  await revokeGrant(s.needed, { kind: 'host' }, { id: granted.id }, null);
  await createLock(s.needed, { kind: 'host' }, { target: { kind: 'subject', subject: alice }, reason: 'x' }, null);
  expect(heard(s.events, position).types).toEqual([
    'request.created',
    'request.approved',
    'grant.ended',
    'lock.created',
  ]);
});

test('a request lapses at its instant and not before, and only if nobody has decided it', async () => {
  const s = scene();
  await s.ask('alice');
  const other = await s.ask('alice', { justification: 'other' });
  await withdrawRequest(s.needed, actorFor('alice'), { id: other.id }, null);
  const { position } = s.events;
  pass(s, (hours(1) - 1) as Duration);
  expect(heard(s.events, position).types).toEqual([]);
  pass(s, 1 as Duration);
  expect(heard(s.events, position).types).toEqual(['request.lapsed']);
});

test('five minutes before its end and at its end a grant is told of, unless it was no longer than that', async () => {
  const s = scene();
  pass(s, minutes(10));
  await s.grant();
  await s.grant({ duration: minutes(5), justification: 'short' });
  let { position } = s.events;
  pass(s, 1 as Duration);
  expect(heard(s.events, position).types).toEqual([]);
  s.clock.advance(-1 as Duration);
  pass(s, minutes(5));
  let step = heard(s.events, position);
  expect(step.types).toEqual(['grant.ended']);
  pass(s, (minutes(50) - 1) as Duration);
  expect(heard(s.events, step.position).types).toEqual([]);
  ({ position } = step);
  pass(s, 1 as Duration);
  step = heard(s.events, position);
  expect(step.types).toEqual(['grant.ends_soon']);
  pass(s, minutes(5));
  expect(heard(s.events, step.position).types).toEqual(['grant.ended']);
});

test('a grant that was ended before is told of once, and not when its time comes', async () => {
  const s = scene();
  const { id } = await s.grant();
  const { position } = s.events;
  await revokeGrant(s.needed, { kind: 'host' }, { id }, null);
  pass(s, hours(1));
  expect(heard(s.events, position).types).toEqual(['grant.ended']);
});

test('while the clock is suspect nothing is told that only the time has brought', async () => {
  const s = scene();
  await s.grant();
  const { position } = s.events;
  s.clock.advance(hours(1));
  s.clock.distrust();
  s.events.tick();
  expect(heard(s.events, position).types).toEqual([]);
});

test('from every position exactly the rest is heard, also by one who was away during a restart', async () => {
  const s = scene();
  const start = s.events.position;
  await s.ask('alice', { justification: 'lapses' });
  await s.grant({ duration: minutes(10) });
  pass(s, minutes(5));
  await s.grant({ duration: minutes(7), justification: 'second' });
  pass(s, minutes(5));
  pass(s, minutes(45));
  const { types } = heard(s.events, start);
  expect(types).toHaveLength(9);
  const positions: { position: Position; rest: number }[] = [];
  for (let at = start, i = 0; ; i++) {
    const { events } = s.events.after(at)!;
    if (events.length === 0) break;
    at = events[0]!.position;
    positions.push({ position: at, rest: types.length - 1 - i });
  }
  const afresh = s.begin();
  await afresh.load();
  for (const { position, rest } of positions) {
    expect(heard(s.events, position).types).toEqual(types.slice(types.length - rest));
    const again = heard(afresh, position).types;
    // The log comes first now; and of what has ended nobody is told any more that it ends soon.
    const wanted = types.slice(types.length - rest).filter((type) => type !== 'grant.ends_soon');
    expect(again.filter((type) => type !== 'grant.ends_soon').toSorted()).toEqual(wanted.toSorted());
  }
});

test('a restart loses nothing of what the time has brought in the last hour', async () => {
  const s = scene();
  await s.ask('alice', { justification: 'lapses' });
  await s.grant();
  pass(s, minutes(30));
  const { position } = s.events;
  s.events.close();
  s.clock.advance(minutes(30));
  const afresh = s.begin();
  await afresh.load();
  expect(heard(afresh, position).types.toSorted()).toEqual(['grant.ended', 'request.lapsed']);
});

test('who leaves between two events of one instant hears both again, and misses none', async () => {
  const s = scene();
  await s.grant({ duration: minutes(5) });
  await s.grant({ duration: minutes(5), justification: 'b' });
  await s.grant({ duration: minutes(5), justification: 'c' });
  const { position } = s.events;
  pass(s, minutes(5));
  const { events } = s.events.after(position)!;
  expect(events.map((one) => heard(s.events, one.position).types.length)).toEqual([3, 3, 0]);
});

test('a position from before, from elsewhere or from the future is not known', async () => {
  const s = scene();
  await s.ask('alice');
  const { sequence, until } = s.events.position;
  expect(s.events.after({ sequence: sequence + 1, until })).toBeNull();
  expect(s.events.after({ sequence, until: (until + 2_001) as never })).toBeNull();
  expect(s.events.after({ sequence, until: (until - 1) as never })).toBeNull();
  expect(s.events.after({ sequence: 0, until })).not.toBeNull();
  pass(s, (hours(1) + seconds(1)) as Duration);
  expect(s.events.after({ sequence, until })).toBeNull();
});

test('older changes come from the audit log, up to a bound', async () => {
  const s = scene();
  const { position } = s.events;
  for (let i = 0; i < 60; i++)
    await s.store.change(s.clock.read().wall, (change) => {
      for (let j = 0; j < 50; j++) change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest: `${i}` });
    });
  expect(heard(s.events, position).types).toHaveLength(3_000);
  const afresh = s.begin();
  expect(heard(afresh, position).types).toHaveLength(3_000);
  expect(MAX_BEHIND).toBeGreaterThan(3_000);
  for (let i = 0; i < 41; i++)
    await s.store.change(s.clock.read().wall, (change) => {
      for (let j = 0; j < 50; j++) change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest: `${i}` });
    });
  expect(s.events.after(position)).toBeNull();
});

test('a listener is woken behind the change, once for many, and one that throws harms nobody', async () => {
  const s = scene();
  const woken: string[] = [];
  s.events.listen(() => {
    throw new Error('deaf');
  });
  const stop = s.events.listen(() => woken.push('woken'));
  await Promise.all([s.ask('alice').then(() => woken.push('made')), s.ask('alice', { justification: 'b' })]);
  await setImmediate();
  await setImmediate();
  expect(woken[0]).toBe('made');
  expect(woken.filter((one) => one === 'woken').length).toBeGreaterThanOrEqual(1);
  expect(String(s.alarms[0])).toBe('Error: deaf');
  stop();
  const before = woken.length;
  await s.ask('alice', { justification: 'c' });
  await setImmediate();
  await setImmediate();
  expect(woken).toHaveLength(before);
});

test('very much that comes at one instant comes in parts, and all of it', async () => {
  const s = scene();
  const { position } = s.events;
  await s.store.change(s.clock.read().wall, (change) => {
    for (let i = 0; i < 450; i++) {
      const from = request({ justification: `n ${i}`, duration: minutes(1), subject: subject(`s${i}`) });
      change.record(
        { kind: 'system' },
        { action: 'grant.created', grant: bornFrom(from, [person('bob')], s.clock.read().wall, 1) },
      );
    }
  });
  pass(s, minutes(1));
  const first = heard(s.events, position).types.length;
  expect(first).toBeLessThan(450);
  s.events.tick();
  s.events.tick();
  expect(heard(s.events, position).types).toHaveLength(450);
});
