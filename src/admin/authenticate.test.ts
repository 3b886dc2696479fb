import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { person, policySet, subject, T0 } from '../../test/builders.js';
import { adminScene, inject } from '../../test/openapi/scene.js';
import { certificates, listenOn, socketCall, tlsCaller } from '../../test/openapi/tls.js';
import type { Credential } from '../demo/certificates.js';
import { after, days, hours, minutes, type Instant } from '../domain/time.js';

const certs = certificates();
const scene = adminScene({ door: certs.door, identifier: certs.identifier });
let port = 0;

beforeAll(async () => {
  port = await listenOn(scene.app);
});
afterAll(() => scene.app.close());

/** One call over TLS with a client certificate, or none. */
async function tls(client: Credential | null, headers: Record<string, string> = {}, path = '/v1/whoami') {
  const { call, close } = tlsCaller(port, certs.ca, client);
  try {
    return await call('GET', path, { headers });
  } finally {
    close();
  }
}

const bearer = async (name: string) => ({ authorization: `Bearer ${await scene.secretOf(name)}` });

test('a certificate speaks for the person who claims its subject', async () => {
  expect((await tls(certs.client('alice-laptop'))).body).toEqual({
    kind: 'person',
    name: 'alice',
    person: 'alice',
    subjects: [subject('alice'), subject('alice-laptop')],
    roles: [],
    via: 'certificate',
  });
});

test('a certificate that no person claims speaks for its subject alone', async () => {
  const { body } = await tls(certs.client('stray'));
  expect(body).toMatchObject({ kind: 'subject', person: null, subjects: [subject('stray')] });
});

test('without any credentials nobody comes in, and the answer says how', async () => {
  const { status, headers, body } = await tls(null);
  expect(status).toBe(401);
  expect(headers['www-authenticate']).toBe('Bearer realm="portcullis"');
  expect(body).toMatchObject({
    code: 'unauthenticated',
    detail: 'this call needs a client certificate or a bearer token',
  });
});

test('a certificate of another CA with the same names is refused', async () => {
  const { status, body } = await tls(certs.forged('alice'));
  expect([status, body.code]).toEqual([401, 'unauthenticated']);
  expect(body.detail).toContain('not issued by a CA');
});

test('a certificate that is not valid now is refused, also beside a good token', async () => {
  const expired = certs.client('alice', { validUntil: (T0 - minutes(1)) as Instant });
  expect((await tls(expired)).body.detail).toContain('not valid at this time');
  expect((await tls(expired, await bearer('alice'))).status).toBe(401);
});

test('a token comes in over TLS too, without a certificate', async () => {
  expect((await tls(null, await bearer('bob'))).body).toMatchObject({ kind: 'person', person: 'bob' });
});

test('a certificate and a token of the same person are that person; of two they are nobody', async () => {
  const both = await tls(certs.client('alice-laptop'), await bearer('alice'));
  expect(both.body).toMatchObject({ person: 'alice', via: 'certificate' });
  expect((await tls(certs.client('alice'), await bearer('bob'))).status).toBe(401);
  expect((await tls(certs.client('stray'), await bearer('bob'))).status).toBe(401);
});

test('a certificate beside a service token is nobody, even where both speak for one subject', async () => {
  const { secret } = await scene.serviceToken('twin', subject('stray'));
  expect((await tls(certs.client('stray'), { authorization: `Bearer ${secret}` })).status).toBe(401);
  const forAlice = await scene.serviceToken('helper', subject('alice'));
  expect((await tls(certs.client('alice'), { authorization: `Bearer ${forAlice.secret}` })).status).toBe(401);
});

test('a bad token is refused, also beside a good certificate', async () => {
  for (const authorization of [
    'Bearer pcs_nothing',
    'Bearer',
    'Bearer  x',
    'Basic YTpi',
    'pcs_x',
    `Bearer ${'x'.repeat(600)}`,
    '',
  ]) {
    const both = await tls(certs.client('alice'), { authorization });
    const alone = await tls(null, { authorization });
    expect([authorization, both.status, alone.status]).toEqual([authorization, 401, 401]);
  }
});

test('the scheme may be written in any case', async () => {
  const { authorization } = await bearer('bob');
  expect((await tls(null, { authorization: authorization.replace('Bearer', 'bearer') })).status).toBe(200);
});

test('what is open needs no credentials and looks at none', async () => {
  expect((await tls(certs.forged('alice'), { authorization: 'Bearer x' }, '/healthz')).status).toBe(200);
});

test('no session is resumed, so each connection proves anew that the client holds its key', async () => {
  const alice = certs.client('alice');
  const open = (session?: Buffer) =>
    new Promise<{ reused: boolean; session: Buffer | undefined }>((resolve, reject) => {
      const client = { cert: alice.pem, key: alice.keyPem, ca: certs.ca.pem, servername: 'localhost' };
      const socket = connect({
        port,
        host: '127.0.0.1',
        maxVersion: 'TLSv1.2',
        ...client,
        ...(session && { session }),
      });
      socket.on('error', reject);
      socket.on('secureConnect', () => {
        resolve({ reused: socket.isSessionReused(), session: socket.getSession() });
        socket.destroy();
      });
    });
  const first = await open();
  expect((await open(first.session)).reused).toBe(false);
});

test('without TLS a certificate cannot come in, and a token can', async () => {
  const plain = adminScene();
  expect((await plain.call(null, 'GET', '/v1/whoami')).body.detail).toBe('this call needs a bearer token');
  expect((await plain.call('alice', 'GET', '/v1/whoami')).body).toMatchObject({ kind: 'person', person: 'alice' });
});

test('a token opens until it expires, and not again when the clock goes back behind that', async () => {
  const plain = adminScene();
  await plain.secretOf('alice');
  plain.clock.advance(hours(8));
  expect((await plain.call('alice', 'GET', '/v1/whoami')).status).toBe(401);
  await plain.ask('bob'); // A change at this time raises the high-water mark.
  plain.clock.advance(minutes(-1));
  expect((await plain.call('alice', 'GET', '/v1/whoami')).status).toBe(401);
});

test('whoever has left the policy folder has left, whatever token they hold', async () => {
  const plain = adminScene();
  expect((await plain.call('alice', 'GET', '/v1/whoami')).status).toBe(200);
  plain.load(policySet({ people: { bob: [subject('bob')] } }));
  expect((await plain.call('alice', 'GET', '/v1/whoami')).status).toBe(401);
  expect((await plain.call('bob', 'GET', '/v1/whoami')).status).toBe(200);
});

test('roles are those of the moment', async () => {
  const plain = adminScene();
  expect((await plain.call('olga', 'GET', '/v1/whoami')).body.roles).toEqual(['operator']);
  plain.load({
    ...plain.parts.needed.policies.current,
    roles: new Map([['auditor', { people: [person('olga')], groups: [], services: [] }]]),
  });
  expect((await plain.call('olga', 'GET', '/v1/whoami')).body.roles).toEqual(['auditor']);
});

test('whoever opens the admin socket is the host, and takes no token there', async () => {
  const socket = adminScene({ door: { kind: 'socket' } });
  const folder = mkdtempSync(join(tmpdir(), 'admin-'));
  const path = join(folder, 'admin.sock');
  try {
    await socket.app.listen({ path });
    expect((await socketCall(path, 'GET', '/v1/whoami')).body).toEqual({
      kind: 'host',
      name: 'host',
      person: null,
      subjects: [],
      roles: ['operator', 'auditor', 'admin'],
      via: 'socket',
    });
    const authorization = `Bearer ${await socket.secretOf('alice')}`;
    expect((await socketCall(path, 'GET', '/v1/whoami', { headers: { authorization } })).status).toBe(401);
  } finally {
    await socket.app.close();
    rmSync(folder, { recursive: true });
  }
});

test('the door for the host never makes a host of what comes over a network', async () => {
  const socket = adminScene({ door: { kind: 'socket' } });
  try {
    const { port: mistaken } = { port: await listenOn(socket.app) };
    const response = await fetch(`http://127.0.0.1:${mistaken}/v1/whoami`);
    expect(response.status).toBe(401);
  } finally {
    await socket.app.close();
  }
});

test('the host comes in by the socket alone', async () => {
  const plain = adminScene();
  for (const headers of [{ authorization: 'host' }, { 'x-portcullis-actor': 'host' }])
    expect((await inject(plain.app, 'GET', '/v1/whoami', { headers })).status).toBe(401);
});

test('a long-lived certificate is judged at every call, on one connection too', async () => {
  const own = certificates();
  const shortScene = adminScene({ door: own.door, identifier: own.identifier });
  const shortPort = await listenOn(shortScene.app);
  const caller = tlsCaller(shortPort, own.ca, own.client('alice', { validUntil: after(T0, days(1)) }));
  try {
    shortScene.clock.advance((days(1) - 1) as ReturnType<typeof days>);
    expect((await caller.call('GET', '/v1/whoami')).status).toBe(200);
    shortScene.clock.advance(1 as ReturnType<typeof days>);
    expect((await caller.call('GET', '/v1/whoami')).status).toBe(401);
  } finally {
    caller.close();
    await shortScene.app.close();
  }
});
