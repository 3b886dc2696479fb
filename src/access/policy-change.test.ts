import { expect, test } from 'vitest';
import { policy, policySet, subject } from '../../test/builders.js';
import { world } from '../../test/world.js';
import { grantStateOf } from '../domain/grant.js';
import { hours, minutes } from '../domain/time.js';
import { endInadmissible } from './policy-change.js';

test('a grant that the policies no longer admit is ended, by the system, and stays ended when they admit it again', async () => {
  const { grant, needed, load, store, clock } = world();
  const { id } = await grant();
  load(policySet({ groups: { dev: ['dave'], sre: ['bob'] } }));
  expect(await endInadmissible(needed)).toBe(1);
  load(policySet());
  expect(await endInadmissible(needed)).toBe(0);
  const ended = store.read((snapshot) => snapshot.grant(id)!);
  expect(grantStateOf(ended, clock.read().wall)).toEqual({ state: 'ended', reason: 'policy_changed' });
  expect(ended.end?.by).toBe('system');
});

test('a policy that has gone or has become shorter ends the grants it no longer admits, and only those', async () => {
  const { grant, ask, review, needed, load, store } = world();
  const long = await grant({ duration: hours(2) });
  const short = (await review('bob', (await ask('dave', { duration: minutes(30) })).id)).grant!;
  load(policySet({ policies: [policy({ duration: { default: hours(1), max: hours(1) } })] }));
  expect(await endInadmissible(needed)).toBe(1);
  expect(store.read((snapshot) => [snapshot.grant(long.id)!.end?.reason, snapshot.grant(short.id)!.end])).toEqual([
    'policy_changed',
    null,
  ]);
  load(policySet({ policies: [] }));
  expect(await endInadmissible(needed)).toBe(1);
});

test('grants that have ended already are left as they are', async () => {
  const { grant, needed, load, clock, entries } = world();
  await grant();
  clock.advance(hours(1));
  load(policySet({ policies: [] }));
  const before = entries().length;
  expect(await endInadmissible(needed)).toBe(0);
  expect(entries()).toHaveLength(before);
});

test('it goes through every page', async () => {
  const people = Array.from({ length: 450 }, (_, i) => `dev${i}`);
  const many = policySet({
    people: Object.fromEntries([...people, 'bob'].map((name) => [name, [subject(name)]])),
    groups: { dev: people, sre: ['bob'] },
  });
  const { ask, review, needed, load } = world({ policies: many });
  for (const name of people) await review('bob', (await ask(name)).id);
  load({ ...many, policies: new Map() });
  expect(await endInadmissible(needed)).toBe(450);
});
