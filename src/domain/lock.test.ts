import { describe, expect, test } from 'vitest';
import { alice, at, billingApi, bob, grant, lock, ordersDb, person, robot, subject } from '../../test/builders.js';
import { hits, isInForce, printLockTarget, type Hit, type LockTarget } from './lock.js';
import type { Instant } from './time.js';

const hit = (over: Partial<Hit> = {}): Hit => ({
  subject: alice,
  person: person('alice'),
  resource: ordersDb,
  ...over,
});

describe('hits()', () => {
  const onAlice: LockTarget = { kind: 'subject', subject: alice };
  const onPerson: LockTarget = { kind: 'person', person: person('alice') };
  const onOrders: LockTarget = { kind: 'resource', resource: ordersDb };
  const rows: { name: string; target: LockTarget; what?: Partial<Hit>; want: boolean }[] = [
    { name: 'its subject', target: onAlice, want: true },
    { name: 'its subject, whoever has it now', target: onAlice, what: { person: person('bob') }, want: true },
    {
      name: 'not another subject of the person',
      target: onAlice,
      what: { subject: subject('alice-laptop') },
      want: false,
    },
    { name: 'not a subject that begins alike', target: onAlice, what: { subject: subject('alice2') }, want: false },
    { name: 'not a subject that it begins with', target: onAlice, what: { subject: subject('alic') }, want: false },
    { name: 'its person', target: onPerson, want: true },
    { name: 'its person under any subject', target: onPerson, what: { subject: bob }, want: true },
    { name: 'not another person', target: onPerson, what: { person: person('bob') }, want: false },
    { name: 'its resource', target: onOrders, want: true },
    {
      name: 'its resource, whoever asks',
      target: onOrders,
      what: { subject: robot, person: person(robot) },
      want: true,
    },
    { name: 'not another resource', target: onOrders, what: { resource: billingApi }, want: false },
  ];
  test.for(rows)('$name: $want', ({ target, what, want }) => {
    expect(hits(lock({ target }), hit(what))).toBe(want);
  });

  test('a target of a kind that a later version may know is an error, never a miss', () => {
    const target = { kind: 'trust', trust: 'partner' } as unknown as LockTarget;
    expect(() => hits(lock({ target }), hit())).toThrow('unknown kind: {"kind":"trust","trust":"partner"}');
  });

  test('a grant can be asked about as it is', () => {
    expect(hits(lock({ target: onPerson }), grant({ person: person('alice') }))).toBe(true);
    expect(hits(lock({ target: onPerson }), grant({ person: person('dave') }))).toBe(false);
  });
});

test('a lock is in force until its end and not at it', () => {
  const short = lock({ expiresAt: at(10) });
  expect([at(-1), at(9), at(10), at(11)].map((now) => isInForce(short, now))).toEqual([true, true, false, false]);
});

test.for([undefined, Number.NaN])('a lock whose end is %s is in force', (end) => {
  expect(isInForce(lock({ expiresAt: end as Instant }), at(10))).toBe(true);
});

test('at a time that is no number every lock is in force', () => {
  expect(isInForce(lock({ expiresAt: at(0) }), at(Number.NaN))).toBe(true);
});

test('a lock without an end is in force until it is removed', () => {
  expect(isInForce(lock({ expiresAt: null }), at(Number.MAX_SAFE_INTEGER / 2))).toBe(true);
});

test.for<[LockTarget, string]>([
  [{ kind: 'subject', subject: alice }, 'subject corp/spiffe://corp/alice'],
  [{ kind: 'person', person: person('alice') }, 'person alice'],
  [{ kind: 'resource', resource: ordersDb }, 'resource orders-db'],
])('%j is written %s', ([target, text]) => {
  expect(printLockTarget(target)).toBe(text);
});
