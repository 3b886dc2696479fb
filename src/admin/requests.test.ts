import { expect, test } from 'vitest';
import { adminPolicies, adminScene, batchJob, inject } from '../../test/openapi/scene.js';
import { certificates, listenOn, tlsCaller } from '../../test/openapi/tls.js';
import { group, policy, prodData, subject } from '../../test/builders.js';
import type { PolicyName } from '../domain/names.js';
import { hours, minutes } from '../domain/time.js';
import { createAdmin } from './server.js';

const forAlice = { resource: 'orders-db', subject: 'spiffe://corp/alice' };

test('a request is shown with its state, its digest, who must review it and how many', async () => {
  const { call } = adminScene();
  const { status, headers, body } = await call('alice', 'POST', '/v1/requests', {
    body: { ...forAlice, duration: '1h30m', justification: ' ticket 7 ' },
  });
  expect(status).toBe(201);
  expect(headers['location']).toBe(`/v1/requests/${body.id}`);
  expect(body).toEqual({
    id: expect.stringMatching(/^req_/) as unknown,
    subject: 'corp/spiffe://corp/alice',
    person: 'alice',
    askedBy: 'alice',
    resource: 'orders-db',
    actions: ['access'],
    patterns: {},
    duration: '1h30m',
    justification: 'ticket 7',
    policy: 'prod-data',
    policyDigest: 'd'.repeat(64),
    binding: null,
    connection: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    lapsesAt: '2026-01-01T01:00:00.000Z',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    state: 'pending',
    settledAt: null,
    reviews: [],
    approvalsNeeded: 1,
    reviewers: ['bob', 'carol'],
    reviewerCount: 2,
    grantId: null,
    locks: [],
  });
  expect((await call('bob', 'GET', `/v1/requests/${body.id}`)).body).toEqual(body);
});

test('the approval that was missing makes the grant, and the request names it', async () => {
  const { call, clock } = adminScene();
  const { body: made } = await call('alice', 'POST', '/v1/requests', { body: forAlice });
  clock.advance(minutes(1));
  const approved = await call('bob', 'POST', `/v1/requests/${made.id}/reviews`, {
    body: { verdict: 'approve', digest: made.digest, reason: 'go' },
  });
  expect(approved.status).toBe(201);
  expect(approved.body).toMatchObject({
    state: 'approved',
    settledAt: '2026-01-01T00:01:00.000Z',
    reviews: [{ person: 'bob', verdict: 'approve', reason: 'go', at: '2026-01-01T00:01:00.000Z' }],
    reviewers: [],
  });
  const grant = await call('alice', 'GET', `/v1/grants/${approved.body.grantId}`);
  expect(grant.body).toMatchObject({ state: 'active', requestId: made.id, approvedBy: ['bob'] });
});

test('with two approvals needed, the first leaves it pending and is no longer asked', async () => {
  const two = policy({
    who: { people: [], groups: [group('everybody')], subjects: [] },
    approval: { count: 2, from: { people: [], groups: [group('sre')] } },
  });
  const { call } = adminScene({ policies: adminPolicies({ policies: [two] }) });
  const { body: made } = await call('alice', 'POST', '/v1/requests', { body: forAlice });
  const approve = (who: string) =>
    call(who, 'POST', `/v1/requests/${made.id}/reviews`, { body: { verdict: 'approve', digest: made.digest } });
  expect((await approve('bob')).body).toMatchObject({
    state: 'pending',
    approvalsNeeded: 2,
    reviewers: ['carol'],
    grantId: null,
  });
  expect((await call('bob', 'GET', '/v1/requests?reviewable=true')).body.items).toEqual([]);
  expect((await call('carol', 'GET', '/v1/requests?reviewable=true')).body.items).toHaveLength(1);
  expect((await approve('carol')).body).toMatchObject({ state: 'approved' });
});

test('a request that its policy no longer admits has nobody left to review it', async () => {
  const { call, load } = adminScene();
  const { body: made } = await call('alice', 'POST', '/v1/requests', { body: forAlice });
  const set = adminPolicies();
  load({
    ...set,
    directory: { ...set.directory, groups: new Map([...set.directory.groups, [group('everybody'), new Set()]]) },
  });
  expect((await call('bob', 'GET', `/v1/requests/${made.id}`)).body).toMatchObject({
    approvalsNeeded: null,
    reviewers: [],
  });
  expect((await call('bob', 'GET', '/v1/requests?reviewable=true')).body.items).toEqual([]);
});

test('a request whose policy text has changed has nobody left to review it', async () => {
  const { call, load } = adminScene();
  const { body: made } = await call('alice', 'POST', '/v1/requests', { body: forAlice });
  load(adminPolicies({ policies: [policy({ digest: 'f'.repeat(64) })] }));
  expect((await call('bob', 'GET', `/v1/requests/${made.id}`)).body).toMatchObject({
    approvalsNeeded: null,
    reviewers: [],
  });
  expect((await call('bob', 'GET', '/v1/requests?reviewable=true')).body.items).toEqual([]);
  const review = await call('bob', 'POST', `/v1/requests/${made.id}/reviews`, {
    body: { verdict: 'approve', digest: made.digest },
  });
  expect([review.status, review.body.code]).toEqual([409, 'policy_changed']);
});

const durations: { readonly text: unknown; readonly code: string }[] = [
  { text: '-5m', code: 'invalid_duration' },
  { text: '0s', code: 'invalid_duration' },
  { text: '0', code: 'invalid_duration' },
  { text: '1.5h', code: 'invalid_duration' },
  { text: '1e3s', code: 'invalid_duration' },
  { text: '90', code: 'invalid_duration' },
  { text: '', code: 'invalid_duration' },
  { text: ' 1h', code: 'invalid_duration' },
  { text: '1y', code: 'invalid_duration' },
  { text: 'PT0.5S', code: 'invalid_duration' },
  { text: '999999999w', code: 'invalid_duration' },
  { text: '9'.repeat(400), code: 'invalid_duration' },
  { text: '4h1s', code: 'invalid_duration' }, // The policy has four hours.
  { text: '8d', code: 'invalid_duration' },
  { text: 'x'.repeat(5_000), code: 'invalid_request' },
  { text: 60, code: 'invalid_request' },
  { text: -1, code: 'invalid_request' },
  { text: null, code: 'invalid_request' },
  { text: ['1h'], code: 'invalid_request' },
];

const shared = adminScene();

test.for(durations)('the duration $text is refused', async ({ text, code }) => {
  const { call } = shared;
  const { status, body } = await call('alice', 'POST', '/v1/requests', { body: { ...forAlice, duration: text } });
  expect([status, body.code]).toEqual([400, code]);
});

test('the longest duration of the policy is taken, in both spellings', async () => {
  const { call } = adminScene();
  for (const duration of ['4h', 'PT4H'])
    expect((await call('alice', 'POST', '/v1/requests', { body: { ...forAlice, duration } })).body.duration).toBe('4h');
});

const wishes: { readonly name: string; readonly body: object; readonly status: number; readonly code: string }[] = [
  { name: 'a resource there is none of', body: { ...forAlice, resource: 'nothing' }, status: 404, code: 'not_found' },
  { name: 'no resource', body: {}, status: 400, code: 'invalid_request' },
  { name: 'a resource by a name that is none', body: { resource: 'Orders DB' }, status: 400, code: 'invalid_request' },
  { name: 'a pattern', body: { resource: '*' }, status: 400, code: 'invalid_request' },
  {
    name: 'an action there is none of',
    body: { ...forAlice, resource: 'billing-api', actions: ['drop'] },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'no actions at all',
    body: { ...forAlice, resource: 'billing-api', actions: [] },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: "somebody else's subject",
    body: { ...forAlice, subject: 'spiffe://corp/bob' },
    status: 403,
    code: 'not_permitted',
  },
  {
    name: 'a subject of another trust entry',
    body: { ...forAlice, subject: 'other/spiffe://corp/alice' },
    status: 403,
    code: 'not_permitted',
  },
  { name: 'what is no subject', body: { ...forAlice, subject: 'alice' }, status: 400, code: 'invalid_subject' },
  { name: 'no subject where there are two', body: { resource: 'orders-db' }, status: 422, code: 'choose_subject' },
  { name: 'a policy that does not admit it', body: { ...forAlice, policy: 'other' }, status: 403, code: 'no_policy' },
  { name: 'a state', body: { ...forAlice, state: 'approved' }, status: 400, code: 'invalid_request' },
  { name: 'reviews', body: { ...forAlice, reviews: [] }, status: 400, code: 'invalid_request' },
  { name: 'an id', body: { ...forAlice, id: 'req_1' }, status: 400, code: 'invalid_request' },
  {
    name: 'bidi marks in the text',
    body: { ...forAlice, justification: 'a\u202eb' },
    status: 400,
    code: 'invalid_request',
  },
  { name: 'NUL in the text', body: { ...forAlice, justification: 'a\u0000b' }, status: 400, code: 'invalid_request' },
  {
    name: 'too long a text',
    body: { ...forAlice, justification: 'ü'.repeat(2_049) },
    status: 400,
    code: 'invalid_request',
  },
];

test.for(wishes)('a request with $name is refused', async ({ body, status, code }) => {
  const { call, entries } = shared;
  await call('alice', 'GET', '/v1/whoami');
  const before = entries().length;
  const answer = await call('alice', 'POST', '/v1/requests', { body });
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(entries()).toHaveLength(before);
});

test('several policies are told, and one is named', async () => {
  const who = { people: [], groups: [group('everybody')], subjects: [] };
  const policies = adminPolicies({ policies: [policy({ who }), policy({ who, name: 'other' as PolicyName })] });
  const { call } = adminScene({ policies });
  const asked = await call('alice', 'POST', '/v1/requests', { body: forAlice });
  expect([asked.status, asked.body.code]).toEqual([422, 'choose_policy']);
  expect(asked.body.detail).toContain('other, prod-data');
  expect((await call('alice', 'POST', '/v1/requests', { body: { ...forAlice, policy: prodData } })).body.policy).toBe(
    'prod-data',
  );
});

test('nobody reviews access for themselves, not under a second certificate and not with a token', async () => {
  const certs = certificates();
  const { app, call, ask, load } = adminScene({ door: certs.door, identifier: certs.identifier });
  const { digest, id } = await ask('alice');
  const self = adminPolicies();
  load({
    ...self,
    directory: {
      ...self.directory,
      groups: new Map([...self.directory.groups, [group('sre'), new Set(['alice', 'bob'] as never[])]]),
    },
  });
  const port = await listenOn(app);
  const path = `/v1/requests/${id}/reviews`;
  const body = { verdict: 'approve', digest };
  for (const name of ['alice', 'alice-laptop']) {
    const caller = tlsCaller(port, certs.ca, certs.client(name));
    const answer = await caller.call('POST', path, { body });
    caller.close();
    expect([name, answer.status, answer.body.code]).toEqual([name, 403, 'self_review']);
  }
  expect((await call('alice', 'POST', path, { body })).body.code).toBe('self_review');
  expect((await call('bob', 'POST', path, { body })).body.state).toBe('approved');
  await app.close();
});

test('a token that an admin made for somebody else never reviews', async () => {
  const { app, ask, serviceToken } = adminScene();
  const { digest, id } = await ask('alice');
  const { secret } = await serviceToken('bob', subject('bob'));
  const answer = await inject(app, 'POST', `/v1/requests/${id}/reviews`, {
    body: { verdict: 'approve', digest },
    headers: { authorization: `Bearer ${secret}` },
  });
  // It is not even shown what it could not review.
  expect([answer.status, answer.body.code]).toEqual([403, 'not_permitted']);
});

test('a certificate that nobody claims never reviews', async () => {
  const certs = certificates();
  const { app, ask } = adminScene({ door: certs.door, identifier: certs.identifier });
  const { digest, id } = await ask('alice');
  const caller = tlsCaller(await listenOn(app), certs.ca, certs.client('batch/report'));
  const answer = await caller.call('POST', `/v1/requests/${id}/reviews`, { body: { verdict: 'approve', digest } });
  expect([answer.status, answer.body.code]).toEqual([403, 'not_permitted']);
  // It may ask, as a person of its own.
  const asked = await caller.call('POST', '/v1/requests', { body: { resource: 'orders-db' } });
  expect([asked.status, asked.body.person]).toEqual([201, batchJob]);
  caller.close();
  await app.close();
});

const decided = [
  { state: 'approved', review: { verdict: 'approve' } },
  { state: 'denied', review: { verdict: 'deny' } },
] as const;

test.for(decided)('a request that is $state is not reviewed again, nor withdrawn', async ({ state, review }) => {
  const { call, ask } = adminScene();
  const { digest, id } = await ask('alice');
  const give = (who: string, verdict: string) =>
    call(who, 'POST', `/v1/requests/${id}/reviews`, { body: { verdict, digest } });
  expect((await give('bob', review.verdict)).body.state).toBe(state);
  for (const again of [await give('bob', 'approve'), await give('carol', 'approve'), await give('carol', 'deny')])
    expect([again.status, again.body.code]).toEqual([409, 'already_decided']);
  expect((await call('alice', 'POST', `/v1/requests/${id}/withdraw`)).body.code).toBe('already_decided');
  expect((await call('alice', 'GET', '/v1/grants')).body.items).toHaveLength(state === 'approved' ? 1 : 0);
});

test('what was withdrawn or has lapsed is not reviewed', async () => {
  const { call, ask, clock } = adminScene();
  const first = await ask('alice', { justification: 'a' });
  const second = await ask('alice', { justification: 'b' });
  expect((await call('alice', 'POST', `/v1/requests/${first.id}/withdraw`)).body).toMatchObject({
    state: 'withdrawn',
    reviewers: [],
  });
  clock.advance(hours(1));
  for (const { id, digest } of [first, second]) {
    const answer = await call('bob', 'POST', `/v1/requests/${id}/reviews`, { body: { verdict: 'approve', digest } });
    expect([answer.status, answer.body.code]).toEqual([409, 'already_decided']);
  }
  expect((await call('alice', 'GET', `/v1/requests/${second.id}`)).body.state).toBe('lapsed');
});

test('a review is given on the digest that its reviewer was shown', async () => {
  const { call, ask } = adminScene();
  const { id } = await ask('alice');
  const answer = await call('bob', 'POST', `/v1/requests/${id}/reviews`, {
    body: { verdict: 'approve', digest: 'a'.repeat(64) },
  });
  expect([answer.status, answer.body.code]).toEqual([409, 'digest_mismatch']);
  for (const digest of [undefined, '', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}\n`]) {
    const bad = await call('bob', 'POST', `/v1/requests/${id}/reviews`, { body: { verdict: 'approve', digest } });
    expect([bad.status, bad.body.code]).toEqual([400, 'invalid_request']);
  }
  const maybe = await call('bob', 'POST', `/v1/requests/${id}/reviews`, {
    body: { verdict: 'maybe', digest: 'a'.repeat(64) },
  });
  expect(maybe.body.problems).toEqual([
    { in: 'body', pointer: '/verdict', detail: 'expected approve or deny, got "maybe"' },
  ]);
});

test('who reviews is whoever authenticated, never a field of the body', async () => {
  const { call, ask } = adminScene();
  const { id, digest } = await ask('alice');
  const answer = await call('alice', 'POST', `/v1/requests/${id}/reviews`, {
    body: { verdict: 'approve', digest, person: 'bob' },
  });
  expect(answer.body.code).toBe('invalid_request');
});

test('the list narrows by everything that it can be asked for', async () => {
  const { call, ask, clock } = adminScene();
  await ask('alice');
  clock.advance(minutes(30));
  await ask('alice', { resource: 'billing-api' as never, subject: subject('alice-laptop') });
  await ask('dave');
  await ask('bob');
  const list = async (who: string, query: string) => {
    const { body } = await call(who, 'GET', `/v1/requests?${query}`);
    return body.items.map((one: { person: string; resource: string }) => `${one.person} ${one.resource}`);
  };
  expect(await list('axel', '')).toEqual(['bob orders-db', 'dave orders-db', 'alice billing-api', 'alice orders-db']);
  expect(await list('bob', '')).toHaveLength(4);
  expect(await list('bob', 'mine=true')).toEqual(['bob orders-db']);
  expect(await list('bob', 'reviewable=true')).toEqual(['dave orders-db', 'alice billing-api', 'alice orders-db']);
  expect(await list('dave', '')).toEqual(['dave orders-db']);
  expect(await list('olga', 'mine=true')).toEqual([]);
  expect(await list('olga', 'reviewable=true')).toEqual([]);
  expect(await list('axel', 'resource=billing-api')).toEqual(['alice billing-api']);
  expect(await list('axel', 'subject=spiffe://corp/alice')).toEqual(['alice orders-db']);
  expect(await list('axel', 'person=alice')).toHaveLength(2);
  expect(await list('axel', 'policy=other')).toEqual([]);
  expect(await list('axel', 'since=2026-01-01T00:30:00.000Z')).toHaveLength(3);
  expect(await list('axel', 'since=2026-01-01T00:30:00.001Z')).toEqual([]);
  clock.advance(minutes(30));
  expect(await list('axel', 'state=lapsed')).toEqual(['alice orders-db']);
  expect(await list('axel', 'state=pending')).toHaveLength(3);
  expect(await list('axel', 'state=approved')).toEqual([]);
});

test('nobody is named as a reviewer of what is their own', async () => {
  const { call } = adminScene();
  const { body } = await call('bob', 'POST', '/v1/requests', { body: { resource: 'orders-db' } });
  expect(body.reviewers).toEqual(['carol']);
});

test("what is one's own is that of the person, of the one subject of a service, and nothing of the host", async () => {
  const { app, parts, ask, serviceToken } = adminScene();
  await ask('alice');
  await ask('alice', { subject: subject('alice-laptop') });
  const { secret } = await serviceToken('helper', subject('alice-laptop'));
  const headers = { authorization: `Bearer ${secret}` };
  const own = await inject(app, 'GET', '/v1/requests?mine=true', { headers });
  expect(own.body.items.map((one: { subject: string }) => one.subject)).toEqual([subject('alice-laptop')]);
  const socket = createAdmin({ ...parts, door: { kind: 'socket' } });
  expect((await inject(socket, 'GET', '/v1/requests?mine=true')).body.items).toEqual([]);
  expect((await inject(socket, 'GET', '/v1/requests')).body.items).toHaveLength(2);
  expect((await inject(socket, 'GET', '/v1/grants?mine=true')).body.items).toEqual([]);
});

test('what has the form of no id is not found', async () => {
  const { call } = adminScene();
  for (const id of [
    'x',
    'req_',
    'gr_00000000000000000000000001',
    'req_00000000000000000000000001',
    '%00',
    'req_%2e%2e',
    'ü',
  ])
    expect([id, (await call('axel', 'GET', `/v1/requests/${id}`)).body.code]).toEqual([id, 'not_found']);
});

test('with a suspect clock nothing is asked for or approved, and everything can be read and withdrawn', async () => {
  const { call, ask, clock } = adminScene();
  const { id, digest } = await ask('alice');
  await Promise.all(['alice', 'bob'].map((name) => call(name, 'GET', '/v1/whoami')));
  clock.distrust();
  const review = await call('bob', 'POST', `/v1/requests/${id}/reviews`, { body: { verdict: 'approve', digest } });
  expect([review.status, review.body.code]).toEqual([503, 'clock_suspect']);
  expect((await call('alice', 'POST', '/v1/requests', { body: forAlice })).status).toBe(503);
  expect((await call('alice', 'GET', `/v1/requests/${id}`)).status).toBe(200);
  expect((await call('alice', 'POST', `/v1/requests/${id}/withdraw`)).status).toBe(200);
});
