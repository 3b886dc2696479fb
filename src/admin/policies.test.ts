import { expect, test } from 'vitest';
import { group, person, policy, resource, subject } from '../../test/builders.js';
import { adminPolicies, adminScene, inject } from '../../test/openapi/scene.js';
import { parseSubjectPattern } from '../domain/subject-pattern.js';
import type { PolicyName, ResourceName } from '../domain/names.js';
import { days, hours, minutes } from '../domain/time.js';

const patterns = [
  'spiffe://corp/batch/**',
  'dns:*.corp.example',
  'dns:a.corp.example',
  'email:*@corp.example',
  'dn:**,O=Acme',
];
const wide = policy({
  who: {
    people: [person('dave')],
    groups: [],
    subjects: patterns.map((text) => ({ trust: 'corp', pattern: parseSubjectPattern(text) })),
  },
  duration: { default: hours(1), max: days(30) },
});
const narrow = policy({
  name: 'billing-read' as PolicyName,
  who: { people: [], groups: [group('everybody')], subjects: [] },
  what: { resources: ['billing-api' as ResourceName], labels: null, actions: ['read' as never] },
  justification: 'required',
  priority: 5,
  sessions: { max: 3, idle: minutes(10) },
  approval: { count: 1, from: { people: [person('bob')], groups: [] } },
});
const policies = adminPolicies({ policies: [wide, narrow] });

test('a policy is shown with what it admits, for how long, and who approves', async () => {
  const { call } = adminScene({ policies });
  const { items } = (await call('alice', 'GET', '/v1/policies')).body;
  expect(items).toEqual([
    {
      name: 'billing-read',
      digest: 'd'.repeat(64),
      who: { people: [], groups: ['everybody'], subjects: [] },
      admits: [{ resource: 'billing-api', actions: ['read'] }],
      duration: { default: '1h', max: '4h' },
      justification: 'required',
      pending: '1h',
      approval: { count: 1, people: ['bob'], groups: [], reviewers: ['bob'] },
      priority: 5,
      sessions: { max: 3, idle: '10m' },
      onDeny: null,
      hold: null,
    },
    expect.objectContaining({
      name: 'prod-data',
      who: { people: ['dave'], groups: [], subjects: patterns.map((text) => `corp/${text}`) },
      admits: [
        { resource: 'billing-api', actions: ['read', 'admin'] },
        { resource: 'orders-db', actions: ['access'] },
      ],
      duration: { default: '1h', max: '30d' },
      approval: { count: 1, people: [], groups: ['sre'], reviewers: ['bob', 'carol'] },
    }) as unknown,
  ]);
});

test('policies can be narrowed to those for a resource', async () => {
  const { call } = adminScene({ policies });
  const names = async (of: string) =>
    (await call('alice', 'GET', `/v1/policies?resource=${of}`)).body.items.map((one: { name: string }) => one.name);
  expect(await names('orders-db')).toEqual(['prod-data']);
  expect(await names('billing-api')).toEqual(['billing-read', 'prod-data']);
  expect(await names('nothing')).toEqual([]);
});

test('everybody sees what they may ask for, under which policies, and for which of their subjects', async () => {
  const { call } = adminScene({ policies });
  expect((await call('dave', 'GET', '/v1/resources')).body.items).toEqual([
    {
      name: 'billing-api',
      description: '',
      labels: { env: 'prod' },
      actions: ['read', 'admin'],
      authorities: ['billing.internal'],
      host: 'gate.corp.example',
      port: null,
      serverName: null,
      options: [
        expect.objectContaining({
          policy: 'prod-data',
          actions: ['read', 'admin'],
          duration: { default: '1h', max: '7d' },
        }) as unknown,
        {
          subject: 'corp/spiffe://corp/dave',
          policy: 'billing-read',
          actions: ['read'],
          duration: { default: '1h', max: '4h' },
          justification: 'required',
          approvals: 1,
        },
      ],
    },
    expect.objectContaining({ name: 'orders-db', port: 15_432 }) as unknown,
  ]);
  const alice = (await call('alice', 'GET', '/v1/resources')).body.items;
  expect(alice).toHaveLength(1);
  expect(alice[0].options.map((one: { subject: string }) => one.subject)).toEqual([
    subject('alice'),
    subject('alice-laptop'),
  ]);
});

test('where a resource lies behind Envoy is told to nobody', async () => {
  const { call } = adminScene({ policies });
  for (const path of ['/v1/resources', '/v1/policies'])
    expect(JSON.stringify((await call('axel', 'GET', path)).body)).not.toContain('10.0.0.');
});

test('auditors, operators and the host see all resources, also those nobody may ask for', async () => {
  const closed = adminPolicies({ policies: [] });
  const hidden = resource({ name: 'hidden' as ResourceName });
  const set = { ...closed, resources: new Map([...closed.resources, [hidden.name, hidden]]) };
  const { call } = adminScene({ policies: set });
  const names = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name);
  for (const who of ['axel', 'olga'])
    expect(names((await call(who, 'GET', '/v1/resources')).body)).toEqual(['billing-api', 'hidden', 'orders-db']);
  for (const who of ['alice', 'ada']) expect(names((await call(who, 'GET', '/v1/resources')).body)).toEqual([]);
  const { app } = adminScene({ policies: set, door: { kind: 'socket' } });
  expect(names((await inject(app, 'GET', '/v1/resources')).body)).toHaveLength(3);
});
