import { describe, expect, test } from 'vitest';
import { actorFor, alice, ordersDb, person, policySet, subject } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import type { LockId } from '../domain/ids.js';
import { isInForce, type LockTarget } from '../domain/lock.js';
import type { Subject } from '../domain/subject.js';
import { after, minutes } from '../domain/time.js';
import { DamagedError, type Store } from '../store/store.js';
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

describe('nobody frees themselves', () => {
  const laptop = subject('alice-laptop');
  const operators = policySet({
    roles: new Map([['operator', { people: [person('alice'), person('carol')], groups: [], services: ['siem'] }]]),
  });
  const onPerson: LockTarget = { kind: 'person', person: person('alice') };
  const onLaptop: LockTarget = { kind: 'subject', subject: laptop };
  const withCertificate = (certificate: Subject | null): Actor => ({
    kind: 'person',
    person: person('alice'),
    subject: certificate,
    via: 'x',
  });
  const service = (forSubject: Subject | null): Actor => ({
    kind: 'service',
    name: 'siem',
    subject: forSubject,
    via: 't',
  });

  test.for<[string, LockTarget, Actor]>([
    ['the person, with a certificate', onPerson, withCertificate(alice)],
    ['the person, with another certificate', onPerson, withCertificate(laptop)],
    ['the person, with a token', onPerson, withCertificate(null)],
    ['the certificate in use', onLaptop, withCertificate(laptop)],
    ['a certificate that a token may be from', onLaptop, withCertificate(null)],
    ['the subject of a service', onLaptop, service(laptop)],
    ['the person behind the subject of a service', onPerson, service(laptop)],
  ])('a lock on %s stays', async ([, target, actor]) => {
    const { needed, store } = world({ policies: operators });
    const { id } = await createLock(needed, host, { target, reason: 'stolen laptop' }, null);
    await expectRefusal(removeLock(needed, actor, id, null), 'not_permitted', 'another operator');
    expect(store.read((snapshot) => snapshot.locks())).toHaveLength(1);
  });

  test.for<[string, LockTarget, Actor]>([
    ['another operator', onPerson, actorFor('carol')],
    ['the host', onPerson, host],
    ['an operating service', onPerson, service(null)],
    ['the person with another certificate, where the lock is on a certificate', onLaptop, withCertificate(alice)],
    ['an operator, where the lock is on a resource', { kind: 'resource', resource: ordersDb }, withCertificate(alice)],
  ])('%s takes it away', async ([, target, actor]) => {
    const { needed, store } = world({ policies: operators });
    const { id } = await createLock(needed, host, { target, reason: 'stolen laptop' }, null);
    await removeLock(needed, actor, id, null);
    expect(store.read((snapshot) => snapshot.locks())).toEqual([]);
  });
});

test('with a suspect clock a lock has no end, and only the host takes one away', async () => {
  const { needed, clock, store } = world();
  clock.distrust();
  await expectRefusal(
    createLock(needed, host, { ...onAlice, duration: minutes(30) }, null),
    'clock_suspect',
    'lock without a duration',
  );
  const { id } = await createLock(needed, host, onAlice, null);
  await expectRefusal(removeLock(needed, actorFor('carol'), id, null), 'clock_suspect');
  await removeLock(needed, host, id, null);
  expect(store.read((snapshot) => snapshot.locks())).toEqual([]);
});

describe('a name of which nothing is known', () => {
  const lockOn = (needed: ReturnType<typeof world>['needed'], target: LockTarget, more = {}) =>
    createLock(needed, host, { target, reason: 'x', ...more }, null);
  const mallory: LockTarget = { kind: 'person', person: person('mallory') };
  const aliceHerself: LockTarget = { kind: 'person', person: person('alice') };
  const orders: LockTarget = { kind: 'resource', resource: ordersDb };

  test('is not locked unless the caller insists', async () => {
    const { needed, store } = world();
    await expectRefusal(lockOn(needed, mallory), 'unknown_target', 'nothing is known of a person "mallory"');
    expect(store.read((snapshot) => snapshot.locks())).toEqual([]);
    await lockOn(needed, mallory, { unknownOk: true });
    expect(store.read((snapshot) => snapshot.locks())).toMatchObject([{ target: mallory }]);
  });

  test('is known all the same when it has asked, or was asked for, before it went from the policies', async () => {
    const { needed, ask, load } = world();
    const nothing = policySet({ people: {}, groups: {}, resources: [], policies: [], roles: new Map() });
    load(nothing);
    for (const target of [aliceHerself, orders]) await expectRefusal(lockOn(needed, target), 'unknown_target');
    load(policySet());
    await ask('alice');
    load(nothing);
    for (const target of [aliceHerself, orders]) expect((await lockOn(needed, target)).target).toEqual(target);
  });

  test('is no doubt of a repetition: the lock that was made is the answer, whatever has gone since', async () => {
    const { needed, load } = world();
    const key = { key: 'k', bodyDigest: 'd' };
    const { id } = await createLock(needed, host, { target: aliceHerself, reason: 'x' }, key);
    load(policySet({ people: {}, groups: {}, resources: [], policies: [], roles: new Map() }));
    expect((await createLock(needed, host, { target: aliceHerself, reason: 'x' }, key)).id).toBe(id);
  });

  test('where the requests cannot be read, a lock is made without asking them', async () => {
    const { needed } = world();
    const store: Store = {
      ...needed.store,
      change: (now, use) =>
        needed.store.change(now, (change) =>
          use(
            new Proxy(change, {
              get: (of, name) => {
                if (name === 'requests')
                  return () => {
                    throw new DamagedError('a record without its proper MAC');
                  };
                const value: unknown = Reflect.get(of, name);
                return typeof value === 'function' ? (value.bind(of) as unknown) : value;
              },
            }),
          ),
        ),
    };
    expect((await lockOn({ ...needed, store }, mallory)).target).toEqual(mallory);
  });
});
