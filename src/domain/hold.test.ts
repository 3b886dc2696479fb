import { describe, expect, test } from 'vitest';
import {
  action,
  alice,
  at,
  billingApi,
  group,
  ordersDb,
  policy,
  policySet,
  prodData,
  request,
  requestId,
  resource,
} from '../../test/builders.js';
import { question } from '../../test/decision-rows.js';
import { DENY_REASONS } from './decision.js';
import { holdingFor, isApprovable, longestHolds, mayWait, requestToJoin } from './hold.js';
import type { PolicyName } from './names.js';
import { hours, seconds } from './time.js';

const [read, write] = [action('read'), action('write')];
const things = [
  resource(),
  resource({ name: billingApi, labels: { env: 'prod' }, actions: new Map([read, write].map((one) => [one, []])) }),
];
const named = (name: string, over: Parameters<typeof policy>[0] = {}) =>
  policy({ name: name as PolicyName, hold: seconds(30), ...over });
const setOf = (...policies: readonly ReturnType<typeof policy>[]) => policySet({ policies, resources: things });
const onBilling = question({ resource: { is: billingApi }, actions: [write, read] });

test('waiting cures these reasons and no others', () => {
  expect(DENY_REASONS.filter(mayWait)).toEqual([
    'no_grant',
    'expired',
    'unused',
    'returned',
    'exhausted',
    'policy_changed',
    'pending_approval',
    'out_of_scope',
    'bound_to_other_key',
    'bound_to_other_source',
  ]);
});

describe('a connection waits', () => {
  test('for the first of its actions that a policy with hold admits', () => {
    const all = setOf(named('all'));
    expect(holdingFor('no_grant', onBilling, all)).toMatchObject({ action: write });
    const reading = setOf(named('reading', { what: { resources: [billingApi], labels: null, actions: [read] } }));
    expect(holdingFor('no_grant', onBilling, reading)).toMatchObject({ action: read });
  });

  test('under the policy that goes before the others, and only among those that hold', () => {
    const [first, second] = [named('first', { priority: 2 }), named('second', { priority: 1 })];
    const silent = named('silent', { hold: null, priority: 3 });
    expect(holdingFor('no_grant', question(), setOf(second, first, silent))?.policy.name).toBe('first');
    expect(holdingFor('no_grant', question(), setOf(named('a'), named('b')))).toBeNull();
  });

  test('not where nobody is admitted, nothing holds, or words are needed', () => {
    const others = { people: [], groups: [group('sre')], subjects: [] };
    for (const one of [named('x', { who: others }), policy(), named('y', { justification: 'required' })])
      expect(holdingFor('no_grant', question(), setOf(one))).toBeNull();
    expect(holdingFor('locked', question(), setOf(named('x')))).toBeNull();
    expect(holdingFor('revoked', question(), setOf(named('x')))).toBeNull();
  });
});

describe('a request can be joined', () => {
  const set = setOf(named(prodData));
  const find = (...pending: readonly ReturnType<typeof request>[]) =>
    requestToJoin(pending, question(), set, at(5))?.id;

  test('while it waits under the policy text in force, the oldest first', () => {
    expect(find(request({ id: requestId(2) }), request({ id: requestId(1) }))).toBe(requestId(1));
    expect(find(request({ lapsesAt: at(5) }))).toBeUndefined();
    expect(find(request({ policyDigest: 'x'.repeat(64) }))).toBeUndefined();
    expect(find(request({ policy: 'gone' as PolicyName }))).toBeUndefined();
    expect(find(request({ duration: hours(5) }))).toBeUndefined();
  });

  test('when it would let this very connection in', () => {
    expect(find(request({ binding: { key: 'k', sources: null } }))).toBeUndefined();
    expect(find(request({ resource: billingApi, actions: [read] }))).toBeUndefined();
    expect(find(request({ actions: [write] }))).toBeUndefined();
  });

  test('what is decided is approvable no more', () => {
    expect(isApprovable(request(), set, at(5))).toBe(true);
    for (const state of ['approved', 'denied', 'withdrawn'] as const)
      expect(isApprovable(request({ settled: { state, at: at(1) } }), set, at(5))).toBe(false);
  });
});

test('the longest wait on a resource is that of all policies that are about it, whoever they admit', () => {
  const wide = named('wide', { hold: seconds(10) });
  const narrow = named('narrow', {
    hold: seconds(60),
    what: { resources: [billingApi], labels: null, actions: [read] },
    who: { people: [], groups: [], subjects: [] },
  });
  const silent = named('silent', { hold: seconds(300), justification: 'required' });
  expect(longestHolds(setOf(wide, narrow, silent))).toEqual(
    new Map([
      [ordersDb, seconds(10)],
      [billingApi, seconds(60)],
    ]),
  );
  expect(longestHolds(setOf(policy())).size).toBe(0);
  expect(holdingFor('no_grant', question({ subject: { is: alice, validUntil: at(9) } }), setOf(wide))).not.toBeNull();
});
