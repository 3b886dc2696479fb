import { expect, test } from 'vitest';
import { actorFor, alice, ordersDb, policy, policySet, subject } from '../../test/builders.js';
import { world } from '../../test/world.js';
import { AccessError } from '../domain/errors.js';
import { grantStateOf } from '../domain/grant.js';
import { hours, minutes } from '../domain/time.js';
import type { Store } from '../store/store.js';
import type { Room } from './dependencies.js';
import { revokeGrant } from './end-grant.js';
import { endInadmissible } from './policy-change.js';

const nobody = policySet({ policies: [] });

test('a grant that the policies no longer admit is ended, by the system, and stays ended when they admit it again', async () => {
  const { grant, needed, store, clock } = world();
  const { id } = await grant();
  expect(await endInadmissible(needed, policySet({ groups: { dev: ['dave'], sre: ['bob'] } }))).toBe(1);
  expect(await endInadmissible(needed, policySet())).toBe(0);
  const ended = store.read((snapshot) => snapshot.grant(id)!);
  expect(grantStateOf(ended, clock.read().wall)).toEqual({ state: 'ended', reason: 'policy_changed' });
  expect(ended.end?.by).toBe('system');
});

test('a policy that has gone or has become shorter ends the grants it no longer admits, and only those', async () => {
  const { grant, ask, review, needed, store } = world();
  const long = await grant({ duration: hours(2) });
  const short = (await review('bob', (await ask('dave', { duration: minutes(30) })).id)).grant!;
  const shorter = policySet({ policies: [policy({ duration: { default: hours(1), max: hours(1) } })] });
  expect(await endInadmissible(needed, shorter)).toBe(1);
  expect(store.read((snapshot) => [snapshot.grant(long.id)!.end?.reason, snapshot.grant(short.id)!.end])).toEqual([
    'policy_changed',
    null,
  ]);
  expect(await endInadmissible(needed, nobody)).toBe(1);
});

test('grants that have ended already are left as they are', async () => {
  const { grant, needed, clock, entries } = world();
  await grant();
  clock.advance(hours(1));
  const before = entries().length;
  expect(await endInadmissible(needed, nobody)).toBe(0);
  expect(entries()).toHaveLength(before);
});

test('it goes through every page', async () => {
  const people = Array.from({ length: 450 }, (_, i) => `dev${i}`);
  const many = policySet({
    people: Object.fromEntries([...people, 'bob'].map((name) => [name, [subject(name)]])),
    groups: { dev: people, sre: ['bob'] },
  });
  const { ask, review, needed } = world({ policies: many });
  for (const name of people) await review('bob', (await ask(name)).id);
  expect(await endInadmissible(needed, { ...many, policies: new Map() })).toBe(450);
});

test('it judges by the set it is given, whichever is in force by then', async () => {
  const { grant, needed, load } = world();
  await grant();
  load(policySet());
  expect(await endInadmissible(needed, nobody)).toBe(1);
});

test('a grant that somebody revokes while it works keeps that end', async () => {
  const { grant, needed, store } = world();
  const { id } = await grant();
  let revoked = false;
  const meanwhile: Store = {
    ...store,
    change: async (at, use) => {
      if (!revoked) {
        revoked = true;
        await revokeGrant(needed, actorFor('bob'), { id, why: 'incident' }, null);
      }
      return store.change(at, use);
    },
  };
  expect(await endInadmissible({ ...needed, store: meanwhile }, nobody)).toBe(0);
  expect(store.read((snapshot) => snapshot.grant(id)!.end)).toMatchObject({ reason: 'revoked', by: 'bob' });
});

test('on a full disk it gets the room that is kept for endings', async () => {
  const { grant, needed, store } = world();
  const { id } = await grant();
  let isFull = true;
  const full: Store = {
    ...store,
    change: async (at, use) => {
      if (isFull) throw new AccessError('storage_full', 'no room');
      return store.change(at, use);
    },
  };
  const room: Room = {
    level: () => 'nothing',
    ending: (work) =>
      work().catch(() => {
        isFull = false;
        return work();
      }),
  };
  expect(await endInadmissible({ ...needed, store: full, room }, nobody)).toBe(1);
  expect(store.read((snapshot) => snapshot.grant(id)!.end?.reason)).toBe('policy_changed');
});

test('told to stop, it stops before the next page', async () => {
  const { grant, needed, store } = world();
  await grant();
  await expect(endInadmissible(needed, nobody, AbortSignal.abort())).rejects.toThrow();
  expect(store.read((snapshot) => snapshot.grantsFor(alice, ordersDb, needed.clock.read().wall)[0]!.end)).toBeNull();
});
