import { describe, expect, test } from 'vitest';
import {
  action,
  alice,
  billingApi,
  bob,
  grant,
  group,
  ordersDb,
  person,
  policy,
  policySet,
  prodData,
  resource,
  robot,
  subject,
} from '../../test/builders.js';
import type { PolicyName, ResourceName } from './names.js';
import { admittedActions, stillAdmits, type Policy, type PolicySet, type Scope } from './policy.js';
import { ACCESS, patternsOf } from './resource.js';
import { parseSubjectPattern } from './subject-pattern.js';
import { days, hours, type Duration } from './time.js';

const [read, write] = [action('read'), action('write')];
const both = resource({ actions: new Map([read, write].map((name) => [name, []])) });
const ms = (n: number) => n as Duration;

describe('admittedActions()', () => {
  const what = (over: Partial<Policy['what']>): Partial<Policy> => ({
    what: { resources: [], labels: null, actions: null, ...over },
  });
  const rows: { name: string; rule?: Partial<Policy>; on?: typeof both; who?: typeof alice; want: string[] }[] = [
    { name: 'all actions, where the policy names none', want: ['read', 'write'] },
    {
      name: 'the actions that the policy names',
      rule: what({ labels: { env: 'prod' }, actions: [write] }),
      want: ['write'],
    },
    {
      name: 'in the order of the resource',
      rule: what({ labels: { env: 'prod' }, actions: [write, read] }),
      want: ['read', 'write'],
    },
    {
      name: 'no action that the resource does not have',
      rule: what({ labels: { env: 'prod' }, actions: [ACCESS] }),
      want: [],
    },
    {
      name: 'no action, where the policy names an empty list',
      rule: what({ labels: { env: 'prod' }, actions: [] }),
      want: [],
    },
    { name: 'access, for a resource without actions', on: resource(), want: ['access'] },
    { name: 'a resource by name', rule: what({ resources: [ordersDb] }), want: ['read', 'write'] },
    {
      name: 'a resource by name, whatever the labels',
      rule: what({ resources: [ordersDb], labels: { env: 'test' } }),
      want: ['read', 'write'],
    },
    { name: 'not another resource', rule: what({ resources: [billingApi] }), want: [] },
    {
      name: 'a resource by all its labels',
      rule: what({ labels: { env: 'prod', kind: 'x' } }),
      on: { ...both, labels: { env: 'prod', kind: 'x', team: 'a' } },
      want: ['read', 'write'],
    },
    { name: 'not by some of the labels', rule: what({ labels: { env: 'prod', kind: 'x' } }), want: [] },
    { name: 'not by another value of a label', rule: what({ labels: { env: 'Prod' } }), want: [] },
    { name: 'not by a label that is there and empty', rule: what({ labels: { env: '' } }), want: [] },
    { name: 'not by what every object has', rule: what({ labels: { constructor: String(Object) } }), want: [] },
    {
      name: 'not by a label without a value, which others lack',
      rule: what({ labels: { kind: undefined as never } }),
      want: [],
    },
    { name: 'nothing, where no resource is named', rule: what({}), want: [] },
    { name: 'nothing, where the labels are an empty set', rule: what({ labels: {} }), want: [] },
    { name: 'a member of the group', who: subject('dave'), want: ['read', 'write'] },
    { name: 'another subject of a member', who: subject('alice-laptop'), want: ['read', 'write'] },
    { name: 'not who is in another group', who: bob, want: [] },
    { name: 'not a subject that nobody claims', who: robot, want: [] },
    { name: 'nobody, where nobody is named', rule: { who: { people: [], groups: [], subjects: [] } }, want: [] },
  ];
  test.for(rows)('$name: $want', ({ rule, on = both, who = alice, want }) => {
    const set = policySet({ policies: [policy(rule)], resources: [on] });
    expect(admittedActions(set, set.policies.get(prodData)!, who, on)).toEqual(want);
  });
});

describe('stillAdmits()', () => {
  const scope = (over: Partial<Scope> = {}): Scope => ({
    subject: alice,
    resource: ordersDb,
    actions: [read],
    patterns: patternsOf(both, over.actions ?? [read]),
    ...over,
  });
  const rule = (over: Partial<Policy>): PolicySet => policySet({ policies: [policy(over)], resources: [both] });
  const narrow: Partial<Policy> = { what: { resources: [ordersDb], labels: null, actions: [read] } };
  const long: Partial<Policy> = { duration: { default: hours(1), max: days(30) } };
  const rows: {
    name: string;
    set?: PolicySet;
    of?: Partial<Scope>;
    length?: Duration;
    under?: string;
    want: boolean;
  }[] = [
    { name: 'what the policy admits', want: true },
    { name: 'all actions', of: { actions: [read, write] }, want: true },
    {
      name: 'one action that the policy no longer covers',
      set: rule(narrow),
      of: { actions: [read, write] },
      want: false,
    },
    { name: 'the action that it still covers', set: rule(narrow), want: true },
    { name: 'an action that the resource lost', of: { actions: [read, ACCESS] }, want: false },
    { name: 'no action at all', of: { actions: [] }, want: false },
    { name: 'the longest duration', length: hours(4), want: true },
    { name: 'a ms more', length: ms(hours(4) + 1), want: false },
    { name: 'the ceiling', set: rule(long), length: days(7), want: true },
    {
      name: 'a ms above the ceiling, where the policy has more',
      set: rule(long),
      length: ms(days(7) + 1),
      want: false,
    },
    { name: 'one ms', length: ms(1), want: true },
    { name: 'no time', length: ms(0), want: false },
    { name: 'negative time', length: ms(-1), want: false },
    { name: 'a length that is no number', length: ms(Number.NaN), want: false },
    {
      name: 'a maximum that is no number',
      set: rule({ duration: { default: hours(1), max: ms(Number.NaN) } }),
      want: false,
    },
    { name: 'another policy', under: 'other', want: false },
    { name: 'a policy that is gone', set: policySet({ policies: [] }), want: false },
    { name: 'a resource that is gone', of: { resource: 'gone' as ResourceName }, want: false },
    { name: 'another subject', of: { subject: bob }, want: false },
  ];
  test.for(rows)('$name: $want', ({ set = rule({}), of, length = hours(1), under = prodData, want }) => {
    expect(stillAdmits(set, under as PolicyName, scope(of), length)).toBe(want);
  });

  test('a grant is a scope', () => {
    expect(stillAdmits(policySet(), prodData, grant(), hours(1))).toBe(true);
  });
});

test('a pattern of subjects admits under its own trust entry only', () => {
  const pattern = parseSubjectPattern('spiffe://corp/**');
  const admits = (trust: string) => {
    const who = { people: [], groups: [], subjects: [{ trust, pattern }] };
    const set = policySet({ policies: [policy({ who })] });
    return admittedActions(set, set.policies.get(prodData)!, robot, resource());
  };
  expect(admits('corp')).toEqual([ACCESS]);
  expect(admits('partner')).toEqual([]);
  expect(admits('')).toEqual([]);
});

test('a person and a group that bear the same name are two things', () => {
  const who = { people: [person('dev')], groups: [], subjects: [] };
  const set = policySet({ policies: [policy({ who })], groups: { dev: ['alice'], sre: [] } });
  expect(admittedActions(set, set.policies.get(prodData)!, alice, resource())).toEqual([]);
  const turned = policySet({ policies: [policy({ who: { people: [], groups: [group('alice')], subjects: [] } })] });
  expect(admittedActions(turned, turned.policies.get(prodData)!, alice, resource())).toEqual([]);
});
