import { expect, test } from 'vitest';
import { adminScene, inject } from '../../test/openapi/scene.js';

const ask = { resource: 'orders-db', subject: 'corp/spiffe://corp/alice', justification: 'ticket 7' };
const keyed = (key: string) => ({ 'idempotency-key': key });

test('a repeated call does nothing twice and gives the same answer', async () => {
  const { call, entries } = adminScene();
  const first = await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') });
  const before = entries().length;
  const second = await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') });
  expect(second.status).toBe(201);
  expect(second.body).toEqual(first.body);
  expect(second.headers['location']).toBe(first.headers['location']);
  expect(entries()).toHaveLength(before);
});

test('the same body in another spelling is the same call', async () => {
  const { call } = adminScene();
  const first = await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') });
  const other = JSON.stringify(Object.fromEntries(Object.entries(ask).toReversed()), null, 2);
  expect((await call('alice', 'POST', '/v1/requests', { body: other, headers: keyed('k') })).body).toEqual(first.body);
});

test('the same key with another body, path or condition is a conflict, and nothing happens', async () => {
  const { call, ask: request, entries } = adminScene();
  const { id } = await request('alice', { justification: 'x' });
  const other = await request('alice', { justification: 'y' });
  const withdraw = (of: string, more = {}) =>
    call('alice', 'POST', `/v1/requests/${of}/withdraw`, { headers: { ...keyed('k'), ...more } });
  expect((await withdraw(id)).status).toBe(200);
  const before = entries().length;
  for (const conflict of [
    await withdraw(other.id),
    await withdraw(id, { 'if-match': '"1"' }),
    await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') }),
  ])
    expect([conflict.status, conflict.body.code]).toEqual([409, 'idempotency_conflict']);
  expect(entries()).toHaveLength(before);
  expect((await call('alice', 'GET', `/v1/requests/${other.id}`)).body.state).toBe('pending');
});

test('the same key with another body of the same call is a conflict', async () => {
  const { call, entries } = adminScene();
  expect((await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') })).status).toBe(201);
  const before = entries().length;
  for (const body of [
    { ...ask, duration: '2h' },
    { ...ask, resource: 'billing-api' },
    { ...ask, justification: 'x' },
  ]) {
    const conflict = await call('alice', 'POST', '/v1/requests', { body, headers: keyed('k') });
    expect([conflict.status, conflict.body.code]).toEqual([409, 'idempotency_conflict']);
  }
  expect(entries()).toHaveLength(before);
});

test('a key that is none is refused also where a call is harmless twice, and not looked at where nothing changes', async () => {
  const { call } = adminScene();
  const headers = keyed('x'.repeat(129));
  const { items } = (await call('alice', 'GET', '/v1/tokens', { headers })).body;
  const answer = await call('alice', 'DELETE', `/v1/tokens/${items[0].id}`, { headers });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('keys are scoped to the actor', async () => {
  const { call } = adminScene();
  const target = (person: string) => ({ ...ask, subject: `corp/spiffe://corp/${person}` });
  const first = await call('alice', 'POST', '/v1/requests', { body: target('alice'), headers: keyed('k') });
  const second = await call('dave', 'POST', '/v1/requests', { body: target('dave'), headers: keyed('k') });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body.person).toBe('dave');
});

test('a refused call uses up no key', async () => {
  const { call } = adminScene();
  expect(
    (await call('alice', 'POST', '/v1/requests', { body: { ...ask, duration: '8h' }, headers: keyed('k') })).status,
  ).toBe(400);
  expect((await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed('k') })).status).toBe(201);
});

test('a repeated unlock gives the lock that is no longer there', async () => {
  const { app } = adminScene({ door: { kind: 'socket' } });
  const made = await inject(app, 'POST', '/v1/locks', {
    body: { target: { kind: 'person', person: 'alice' }, reason: 'x' },
  });
  const path = String(made.headers['location']);
  const headers = { ...keyed('k'), 'if-match': String(made.headers['etag']) };
  const first = await inject(app, 'DELETE', path, { headers });
  expect([first.status, (await inject(app, 'DELETE', path, { headers })).body]).toEqual([200, first.body]);
  expect((await inject(app, 'DELETE', path)).status).toBe(404);
});

test.for(['', 'x'.repeat(129), 'schlüssel', 'a\tb'])('the key %j is refused', async (key) => {
  const { call } = adminScene();
  const answer = await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed(key) });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('a key has up to 128 printable characters', async () => {
  const { call } = adminScene();
  const answer = await call('alice', 'POST', '/v1/requests', { body: ask, headers: keyed(`a ${'~'.repeat(126)}`) });
  expect(answer.status).toBe(201);
});
