import { expect, test } from 'vitest';
import { actorFor, alice, ordersDb, person, policySet } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import type { LockId } from '../domain/ids.js';
import { isInForce, type LockTarget } from '../domain/lock.js';
import { after, minutes } from '../domain/time.js';
import { createLock, removeLock } from './lock.js';

const host: Actor = { kind: 'host' };
const onAlice = { target: { kind: 'subject', subject: alice } as LockTarget, reason: 'incident 3' };

test('an operator, an operating service and the host lock; others do not', async () => {
  const { needed } = world();
  const siem: Actor = { kind: 'service', name: 'siem', subject: null, via: 'tok_1' };
  for (const actor of [actorFor('carol'), siem, host])
    expect((await createLock(needed, actor, onAlice, null)).reason).toBe('incident 3');
  for (const actor of [actorFor('bob'), actorFor('erin'), actorFor('alice')]) {
    await expectRefusal(createLock(needed, actor, onAlice, null), 'not_permitted', 'operator');
  }
});

test('a lock with a duration is in force up to its end, one without until it is removed', async () => {
  const { needed, clock } = world();
  const short = await createLock(needed, host, { ...onAlice, duration: minutes(5) }, null);
  const open = await createLock(
    needed,
    host,
    { target: { kind: 'resource', resource: ordersDb }, reason: 'freeze' },
    null,
  );
  expect(short.expiresAt).toBe(after(clock.read().wall, minutes(5)));
  clock.advance(minutes(5));
  expect(isInForce(short, clock.read().wall)).toBe(false);
  expect(isInForce(open, clock.read().wall)).toBe(true);
});

test('a lock needs a reason', async () => {
  const { needed } = world();
  await expectRefusal(createLock(needed, host, { ...onAlice, reason: ' ' }, null), 'invalid_request', 'needs a reason');
});

test('removing a lock takes it out of the set, once', async () => {
  const { needed, store, entries } = world();
  const { id } = await createLock(
    needed,
    host,
    { target: { kind: 'person', person: person('alice') }, reason: 'x' },
    null,
  );
  await expectRefusal(removeLock(needed, actorFor('bob'), id, null), 'not_permitted');
  await removeLock(needed, actorFor('carol'), id, null);
  expect(store.read((snapshot) => snapshot.locks())).toEqual([]);
  await expectRefusal(removeLock(needed, host, id, null), 'not_found');
  await expectRefusal(removeLock(needed, host, 'lock_x' as LockId, null), 'not_found');
  expect(entries().map((entry) => entry.transition.action)).toEqual(['lock.created', 'lock.removed']);
});

test('locking works with a suspect clock and a full disk, and after the operator role has moved', async () => {
  const { needed, clock, disk, load } = world();
  clock.distrust();
  disk.level = 'endings_only';
  await createLock(needed, actorFor('carol'), onAlice, null);
  load(policySet({ roles: new Map() }));
  await expectRefusal(createLock(needed, actorFor('carol'), onAlice, null), 'not_permitted');
  await createLock(needed, host, onAlice, null);
});
