import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminScene, inject } from '../../test/openapi/scene.js';
import { certificates, listenOn, tlsCaller } from '../../test/openapi/tls.js';
import { hours } from '../domain/time.js';

const certs = certificates();
const scene = adminScene({ door: certs.door, identifier: certs.identifier });
let port = 0;

beforeAll(async () => {
  port = await listenOn(scene.app);
});
afterAll(() => scene.app.close());

async function withCertificate(name: string, method: string, path: string, body?: unknown) {
  const { call, close } = tlsCaller(port, certs.ca, certs.client(name));
  try {
    return await call(method, path, { body });
  } finally {
    close();
  }
}

test('a personal token is made with a certificate; its secret is in the answer and nowhere else', async () => {
  const { status, headers, body } = await withCertificate('alice', 'POST', '/v1/tokens', { duration: '1h' });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.stringMatching(/^tok_/) as unknown,
    holder: { kind: 'person', person: 'alice' },
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'alice',
    expiresAt: '2026-01-01T01:00:00.000Z',
    revokedAt: null,
    state: 'usable',
    secret: expect.stringMatching(/^pcs_[\w-]{43}$/) as unknown,
  });
  const authorization = `Bearer ${body.secret}`;
  expect((await inject(scene.app, 'GET', '/v1/whoami', { headers: { authorization } })).body.via).toBe(body.id);
  const { secret: _secret, ...shown } = body;
  const read = await inject(scene.app, 'GET', String(headers['location']), { headers: { authorization } });
  expect(read.body).toEqual(shown);
});

test('a token makes no personal token, nor does a certificate that nobody claims', async () => {
  expect((await scene.call('alice', 'POST', '/v1/tokens', { body: {} })).status).toBe(403);
  expect((await withCertificate('stray', 'POST', '/v1/tokens', {})).status).toBe(403);
});

test('a service token is made by an admin, for a subject in its canonical spelling', async () => {
  const wish = { service: 'ci-runner', subject: 'spiffe://corp/batch/ci', duration: '30d' };
  expect((await scene.call('alice', 'POST', '/v1/tokens', { body: wish })).status).toBe(403);
  const made = await scene.call('ada', 'POST', '/v1/tokens', { body: wish });
  expect(made.body.holder).toEqual({ kind: 'service', name: 'ci-runner', subject: 'corp/spiffe://corp/batch/ci' });
  const headers = { authorization: `Bearer ${made.body.secret}` };
  expect((await inject(scene.app, 'GET', '/v1/whoami', { headers })).body).toMatchObject({
    kind: 'service',
    name: 'service:ci-runner',
  });
});

test('tokens live for a bounded time, and what they are for is said rightly', async () => {
  const refused = async (body: object) => (await scene.call('ada', 'POST', '/v1/tokens', { body })).body.code;
  expect(await refused({ service: 'ci', duration: '366d' })).toBe('invalid_duration');
  expect(await refused({ service: 'ci', duration: '0s' })).toBe('invalid_duration');
  expect(await refused({ service: 'Not A Name' })).toBe('invalid_request');
  expect(await refused({ service: 'ci', subject: 'x' })).toBe('invalid_subject');
  expect(await refused({ subject: 'spiffe://corp/x' })).toBe('invalid_request');
  expect(await refused({ service: 'ci', person: 'alice' })).toBe('invalid_request');
  expect((await withCertificate('alice', 'POST', '/v1/tokens', { duration: '25h' })).body.code).toBe(
    'invalid_duration',
  );
});

test('a revoked token opens nothing from then on, and is shown as revoked', async () => {
  const { body } = await withCertificate('dave', 'POST', '/v1/tokens', {});
  const headers = { authorization: `Bearer ${body.secret}` };
  const path = `/v1/tokens/${body.id}`;
  expect((await scene.call('alice', 'DELETE', path)).status).toBe(404);
  const revoked = await inject(scene.app, 'DELETE', path, { headers });
  expect([revoked.status, revoked.body.state]).toEqual([200, 'revoked']);
  expect((await inject(scene.app, 'GET', '/v1/whoami', { headers })).status).toBe(401);
  expect((await scene.call('ada', 'DELETE', path)).body).toEqual(revoked.body);
});

test('a token is revoked only in the revision that the caller has seen', async () => {
  const made = await withCertificate('dave', 'POST', '/v1/tokens', {});
  const remove = (tag: string) =>
    scene.call('ada', 'DELETE', `/v1/tokens/${made.body.id}`, { headers: { 'if-match': tag } });
  expect((await remove('"99999"')).status).toBe(412);
  expect((await remove(String(made.headers['etag']))).status).toBe(200);
});

test('everybody lists their own tokens, admins all, and nobody their hashes or secrets', async () => {
  const own = adminScene();
  const { secret } = await own.serviceToken('ci');
  await own.call('alice', 'GET', '/v1/whoami');
  const list = async (who: string, query = '') => (await own.call(who, 'GET', `/v1/tokens?${query}`)).body.items;
  const people = (items: { holder: { person?: string; name?: string } }[]) =>
    items.map(({ holder }) => holder.person ?? holder.name);
  expect(people(await list('alice'))).toEqual(['alice']);
  expect(people(await list('ada'))).toEqual(['ada', 'alice', 'ci']);
  expect(people(await list('ada', 'mine=true'))).toEqual(['ada']);
  expect(people(await list('axel'))).toEqual(['axel']);
  const text = JSON.stringify(await list('ada'));
  expect(text).not.toContain('hash');
  expect(text).not.toContain(secret.slice(4));
  own.clock.advance((hours(8) - 1) as ReturnType<typeof hours>);
  expect(people(await list('ada', 'state=usable'))).toHaveLength(4);
  own.clock.advance(1 as ReturnType<typeof hours>);
  const again = await inject(own.app, 'GET', '/v1/tokens', { headers: { authorization: `Bearer ${secret}` } });
  expect(again.body.items).toEqual([]);
});
