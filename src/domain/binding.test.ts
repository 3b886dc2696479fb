import { expect, test } from 'vitest';
import { alice, at, grant, policySet, reading, request, requestId, resource, ordersDb } from '../../test/builders.js';
import { facts, question } from '../../test/decision-rows.js';
import { whyUnbound, type Binding } from './binding.js';
import { decide } from './decide.js';
import { hours } from './time.js';

const bound: Binding = { key: 'k', sources: ['10.0.0.7/32', '10.1.0.0/16'] };

test.for<[string, Binding | undefined, string | null, string | null, string | null]>([
  ['to nothing, by anybody', undefined, null, null, null],
  ['to nothing in words', { key: null, sources: null }, null, null, null],
  ['with its key from its source', bound, 'k', '10.0.0.7:1', null],
  ['from another of its sources', bound, 'k', '10.1.2.3:1', null],
  ['with another key', bound, 'l', '10.0.0.7:1', 'bound_to_other_key'],
  ['with a key nobody knows', bound, null, '10.0.0.7:1', 'bound_to_other_key'],
  ['from another source', bound, 'k', '10.0.0.8:1', 'bound_to_other_source'],
  ['from a source nobody knows', bound, 'k', null, 'bound_to_other_source'],
  ['from what is no address', bound, 'k', '/run/envoy.sock', 'bound_to_other_source'],
  ['to no source at all', { key: null, sources: [] }, 'k', '10.0.0.7:1', 'bound_to_other_source'],
  ['to a key alone, from anywhere', { key: 'k', sources: null }, 'k', null, null],
  ['to the empty key', { key: '', sources: null }, null, null, 'bound_to_other_key'],
])('bound %s', ([, binding, key, source, expected]) => {
  expect(whyUnbound(binding, { key, source })).toBe(expected);
});

const asking = (key: string, source: string) =>
  question({ subject: { is: alice, validUntil: at(hours(9)), key }, source });
const inForce = { grants: [grant({ binding: bound })] };

test('a bound grant lets in the connection that it is bound to, and no other', () => {
  expect(decide(asking('k', '10.0.0.7:5'), facts(inForce), reading(5))).toMatchObject({ effect: 'allow' });
  expect(decide(asking('l', '10.0.0.7:5'), facts(inForce), reading(5))).toMatchObject({
    reason: 'bound_to_other_key',
    grantId: grant().id,
  });
  expect(decide(asking('k', '10.9.0.7:5'), facts(inForce), reading(5))).toMatchObject({
    reason: 'bound_to_other_source',
  });
});

test('a question that says nothing of key and source fits no bound grant', () => {
  expect(decide(question(), facts(inForce), reading(5))).toMatchObject({ reason: 'bound_to_other_key' });
});

test('an unbound grant beside a bound one lets everybody in that it is for', () => {
  const grants = [grant({ binding: bound }), grant({ requestId: requestId(2), expiresAt: at(hours(1) - 1) })];
  expect(decide(asking('l', '10.9.0.7:5'), facts({ grants }), reading(5))).toMatchObject({
    effect: 'allow',
    grantId: grants[1]!.id,
  });
});

test('a request that is bound to another connection is nothing to wait for', () => {
  const pending = [request({ binding: bound })];
  const none = { grants: [], pending, policies: policySet({ resources: [resource({ name: ordersDb })] }) };
  expect(decide(asking('k', '10.0.0.7:5'), facts(none), reading(5))).toMatchObject({ reason: 'pending_approval' });
  expect(decide(asking('l', '10.0.0.7:5'), facts(none), reading(5))).toMatchObject({ reason: 'no_grant' });
});
