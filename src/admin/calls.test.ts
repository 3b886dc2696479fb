import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminScene, inject } from '../../test/openapi/scene.js';
import { listenOn } from '../../test/openapi/tls.js';
import { actorFor } from '../../test/builders.js';
import { withdrawRequest } from '../access/request.js';
import type { CallFailure } from './refusing.js';
import type { Call } from './server.js';

const heard: Call[] = [];
const scene = adminScene({
  heard: (call) => heard.push(call),
  limits: { headersMs: 300, requestMs: 600, headerBytes: 4_096 },
});
const { call } = scene;
let port = 0;

beforeAll(async () => {
  port = await listenOn(scene.app);
});
afterAll(() => scene.app.close());

/** Sends bytes and gives back all that comes until the connection closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

const ask = { resource: 'orders-db', subject: 'spiffe://corp/alice' };

test('an unknown path is not found; a known one with another method says which there are', async () => {
  expect(await call('alice', 'GET', '/v2/requests')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect(await call('alice', 'GET', '/v1/requests/')).toMatchObject({ status: 404 });
  expect(await call('alice', 'GET', '/v1/Requests')).toMatchObject({ status: 404 });
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
    const answer = await call('alice', method, '/v1/requests');
    expect([method, answer.status, answer.body.code, answer.headers['allow']]).toEqual([
      method,
      405,
      'method_not_allowed',
      'GET, HEAD, POST',
    ]);
  }
  expect((await call('alice', 'POST', '/v1/whoami')).headers['allow']).toBe('GET, HEAD');
  expect((await call('alice', 'GET', '/v1/grants/gr_x/revoke')).headers['allow']).toBe('POST');
});

test('OPTIONS gives no origin any rights', async () => {
  const { headers } = await call(null, 'OPTIONS', '/v1/requests', {
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test('HEAD is GET without its body, for the same people', async () => {
  const get = await call('alice', 'GET', '/v1/whoami');
  const head = await call('alice', 'HEAD', '/v1/whoami');
  expect([head.status, head.body]).toEqual([200, undefined]);
  expect(head.headers['etag']).toBe(get.headers['etag']);
  expect(head.headers['content-length']).toBe(get.headers['content-length']);
  expect((await call(null, 'HEAD', '/v1/whoami')).status).toBe(401);
});

test('every answer keeps out of caches, frames and guessing, refusals too', async () => {
  for (const answer of [
    await call('alice', 'GET', '/v1/whoami'),
    await call(null, 'GET', '/v1/whoami'),
    await call(null, 'GET', '/nothing'),
    await call(null, 'GET', '/v1/%zz'),
  ]) {
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-request-id': expect.stringMatching(/^.{36}$/) as unknown,
    });
    expect(answer.headers['server'] ?? answer.headers['x-powered-by']).toBeUndefined();
  }
});

test('a request id is echoed when it is harmless, else one is made', async () => {
  const idFor = async (id: string) =>
    (await call('alice', 'GET', '/v1/whoami', { headers: { 'x-request-id': id } })).headers['x-request-id'];
  expect(await idFor('7f0c-AZ.~:+/=')).toBe('7f0c-AZ.~:+/=');
  for (const harmful of ['', 'a b', 'a\tb', '<x>', 'ü', 'x'.repeat(129)])
    expect(await idFor(harmful)).not.toBe(harmful);
  expect(await idFor('x'.repeat(128))).toHaveLength(128);
});

test('each call is heard once, with actor and route and without what was in it', async () => {
  heard.length = 0;
  await call('alice', 'GET', '/v1/grants/gr_secret?x=secret', { headers: { 'x-request-id': 'call-1' } });
  await call(null, 'GET', '/secret');
  expect(heard).toEqual([
    {
      id: 'call-1',
      actor: 'alice',
      method: 'GET',
      route: '/v1/grants/:id',
      status: 400,
      milliseconds: expect.any(Number) as unknown,
    },
    {
      id: expect.any(String) as unknown,
      actor: null,
      method: 'GET',
      route: null,
      status: 404,
      milliseconds: expect.any(Number) as unknown,
    },
  ]);
});

const bodies: {
  readonly name: string;
  readonly body: string | Buffer;
  readonly says: string;
  readonly type?: string;
  readonly status?: number;
}[] = [
  { name: 'no JSON', body: 'resource=orders-db', says: 'expected a value' },
  { name: 'a name twice', body: '{"resource":"orders-db","resource":"billing-api"}', says: 'stands twice' },
  { name: '__proto__', body: '{"resource":"orders-db","__proto__":{}}', says: '__proto__' },
  { name: 'constructor', body: '{"resource":"orders-db","constructor":{}}', says: 'constructor' },
  { name: 'too many levels', body: `{"resource":${'['.repeat(10)}${']'.repeat(10)}}`, says: 'levels' },
  { name: 'bytes that are not UTF-8', body: Buffer.from([0x22, 0xff, 0x22]), says: 'UTF-8' },
  { name: 'no object', body: '[]', says: 'expected object, got []' },
  { name: 'null', body: 'null', says: 'expected object, got null' },
  { name: 'nothing', body: '', says: 'expected object' },
  { name: 'an unknown field', body: '{"resource":"orders-db","approvals":1}', says: 'no such field' },
  {
    name: "a field that is the service's to say",
    body: '{"resource":"orders-db","person":"bob"}',
    says: 'no such field',
  },
  { name: 'a number where text belongs', body: '{"resource":5}', says: 'expected string, got 5' },
  { name: 'form data', body: 'a=b', says: 'application/json', type: 'application/x-www-form-urlencoded', status: 415 },
  { name: 'text', body: '{}', says: 'application/json', type: 'text/plain', status: 415 },
  { name: 'another JSON type', body: '{}', says: 'application/json', type: 'application/vnd.api+json', status: 415 },
  {
    name: 'another charset',
    body: '{}',
    says: 'application/json',
    type: 'application/json; charset=latin1',
    status: 415,
  },
  { name: 'two types', body: '{}', says: 'application/json', type: 'application/json, text/plain', status: 415 },
  { name: 'a type with a tab', body: '{}', says: 'application/json', type: 'application/json\tx', status: 415 },
];

test.for(bodies)('a body with $name is refused', async ({ body, says, type, status }) => {
  const answer = await call('alice', 'POST', '/v1/requests', {
    body,
    headers: { 'content-type': type ?? 'application/json' },
  });
  expect(answer.status).toBe(status ?? 400);
  expect(answer.body.detail).toContain(says);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
});

test('the charset that JSON has anyway may be said', async () => {
  const headers = { 'content-type': 'application/JSON; charset=UTF-8' };
  expect((await call('alice', 'POST', '/v1/requests', { body: JSON.stringify(ask), headers })).status).toBe(201);
});

test('a body is 64 KiB long at most, whether or not its length is told', async () => {
  const reason = (bytes: number) =>
    JSON.stringify({ target: { kind: 'person', person: 'x' }, reason: 'r', message: 'm'.repeat(bytes) });
  const exactly = reason(64 * 1024 - reason(0).length);
  expect((await call('olga', 'POST', '/v1/locks', { body: exactly })).status).toBe(400); // Read, and its message is too long.
  const over = await call('olga', 'POST', '/v1/locks', { body: `${exactly} ` });
  expect([over.status, over.body.code]).toEqual([413, 'body_too_large']);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const authorization = `Bearer ${await scene.secretOf('olga')}`;
  const chunked = await raw(
    `POST /v1/locks HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`,
  );
  expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
});

test('the type of no body does not matter', async () => {
  const { id } = await scene.ask('alice', { justification: 'no body' });
  const headers = { 'content-type': 'text/plain', 'content-length': '0' };
  expect((await call('alice', 'POST', `/v1/requests/${id}/withdraw`, { headers })).status).toBe(200);
});

test('a compressed body is refused', async () => {
  const answer = await call('alice', 'POST', '/v1/requests', { body: '{}', headers: { 'content-encoding': 'gzip' } });
  expect(answer.status).toBe(415);
});

test('a body is refused where none is defined, before anything happens', async () => {
  const { id } = await scene.ask('alice');
  const withdraw = await call('alice', 'POST', `/v1/requests/${id}/withdraw`, { body: '{}' });
  expect([withdraw.status, withdraw.body.detail]).toEqual([400, 'this call takes no body']);
  expect((await call('alice', 'GET', `/v1/requests/${id}`)).body.state).toBe('pending');
  expect((await call('alice', 'GET', '/v1/whoami', { body: '{}' })).status).toBe(400);
  expect((await call('olga', 'DELETE', '/v1/locks/lock_x', { body: '{}' })).status).toBe(400);
});

const queries = [
  '?limit=0',
  '?limit=501',
  '?limit=-1',
  '?limit=1.5',
  '?limit=1e2',
  '?limit=0x10',
  '?limit=',
  '?limit=05',
  '?limit=+5',
  '?limit=5&limit=5',
  '?limit=NaN',
  '?mine=1',
  '?mine=TRUE',
  '?mine=',
  '?state=open',
  '?state=pending&state=approved',
  '?foo=1',
  '?since=yesterday',
  '?since=2026-02-30T00:00:00Z',
  '?since=2026-01-01',
  '?since=2026-01-01T00:00:00%2B01:00',
  '?since=2026-01-01T24:00:00Z',
  '?resource=Orders',
  '?subject=nobody',
  '?subject=',
  '?person=',
  '?cursor=x',
  '?__proto__=1',
  '?limit[]=5',
  '?person=%ff',
];

test.for(queries)('the query %s is refused', async (query) => {
  const answer = await call('alice', 'GET', `/v1/requests${query}`);
  expect([answer.status, answer.body.code]).toEqual([
    400,
    query.startsWith('?subject=n') ? 'invalid_subject' : 'invalid_request',
  ]);
});

test('a query that says the same as the default is taken', async () => {
  const query = '?limit=50&mine=false&since=2026-01-01T00:00:00Z&subject=corp%2Fspiffe%3A%2F%2Fcorp%2Falice';
  expect((await call('alice', 'GET', `/v1/requests${query}`)).status).toBe(200);
});

test('what is wrong with the input is told field by field, with JSON pointers', async () => {
  const { body } = await call('olga', 'POST', '/v1/locks', {
    body: { target: { kind: 'person', person: 'A' }, 'a/b~c': 1 },
  });
  expect(body.problems).toEqual([
    { in: 'body', pointer: '/target/person', detail: 'expected the name of a person, got "A"' },
    { in: 'body', pointer: '/reason', detail: 'expected string, got nothing' },
    { in: 'body', pointer: '/a~1b~0c', detail: 'there is no such field; remove it' },
  ]);
  const { body: union } = await call('olga', 'POST', '/v1/locks', { body: { target: { kind: 'all' }, reason: 'x' } });
  expect(union.problems).toEqual([
    { in: 'body', pointer: '/target/kind', detail: 'expected one of ["subject","person","resource"] here' },
  ]);
});

test('a header that we act on is there once', async () => {
  const authorization = `Authorization: Bearer ${await scene.secretOf('alice')}`;
  const send = (headers: string) =>
    raw(`GET /v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n`);
  expect(await send(authorization)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await send(`${authorization}\r\n${authorization}`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await send(`${authorization}\r\nX-Request-Id: a\r\nx-request-id: b`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await send(`${authorization}\r\nAccept: a\r\nAccept: b`)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a web page of another origin changes nothing, and one of our own may', async () => {
  const post = async (headers: Record<string, string>) =>
    (await call('alice', 'POST', '/v1/requests', { body: ask, headers })).status;
  expect(await post({ origin: 'https://evil.example' })).toBe(403);
  expect(await post({ origin: 'null' })).toBe(403);
  expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403);
  expect(await post({ host: 'admin.corp', origin: 'http://admin.corp', 'sec-fetch-site': 'same-origin' })).toBe(201);
  expect(await post({ 'sec-fetch-site': 'none' })).toBe(201);
});

test('a condition that a call would not heed is refused, not ignored', async () => {
  const refused = async (who: string, method: string, url: string, header: string) => {
    const answer = await call(who, method, url, {
      headers: { [header]: '"1"' },
      ...(method === 'POST' && { body: '{}' }),
    });
    return [answer.status, answer.body.detail];
  };
  const says = (header: string) => [400, `this call does not heed the header ${header}; leave it out`];
  expect(await refused('alice', 'POST', '/v1/requests', 'if-match')).toEqual(says('if-match'));
  expect(await refused('alice', 'POST', '/v1/requests', 'if-none-match')).toEqual(says('if-none-match'));
  expect(await refused('alice', 'POST', '/v1/tokens', 'idempotency-key')).toEqual(says('idempotency-key'));
  expect(await refused('alice', 'GET', '/v1/whoami', 'if-match')).toEqual(says('if-match'));
});

test('changes and reading of one actor are limited, each apart from the other', async () => {
  const limited = adminScene({ limits: { burst: 2, perSecond: 1, readBurst: 3, readsPerSecond: 1 } });
  const post = async (who: string) => limited.call(who, 'POST', '/v1/explain', { body: {} });
  expect([(await post('alice')).status, (await post('alice')).status]).toEqual([400, 400]);
  const third = await post('alice');
  expect([third.status, third.body.code, third.headers['retry-after']]).toEqual([429, 'too_many_calls', '1']);
  expect((await post('dave')).status).toBe(400);
  const get = async (who: string, method = 'GET') => limited.call(who, method, '/v1/resources');
  expect([(await get('alice')).status, (await get('alice', 'HEAD')).status, (await get('alice')).status]).toEqual([
    200, 200, 200,
  ]);
  const fourth = await get('alice');
  expect([fourth.status, fourth.body.code, fourth.headers['retry-after']]).toEqual([429, 'too_many_calls', '1']);
  expect((await get('alice', 'HEAD')).status).toBe(429);
  expect((await get('olga')).status).toBe(200);
  expect((await limited.call('olga', 'POST', '/v1/explain', { body: {} })).status).toBe(400);
});

test('the host is not limited: it may have to end a thousand grants at once', async () => {
  const limits = { burst: 1, perSecond: 1, readBurst: 1, readsPerSecond: 1 };
  const { app } = adminScene({ door: { kind: 'socket' }, limits });
  for (let i = 0; i < 5; i++) {
    expect((await inject(app, 'POST', '/v1/explain', { body: {} })).status).toBe(400);
    expect((await inject(app, 'GET', '/v1/whoami')).status).toBe(200);
  }
});

test('an exception tells nothing outside and everything to the alarm', async () => {
  const canary = 'canary-5ecret';
  const failing = adminScene({ identifier: { identify: fail, identifyDer: fail } });
  function fail(): never {
    throw new Error(`could not open /var/lib/${canary}`, { cause: canary });
  }
  const answer = await failing.call('alice', 'POST', '/v1/explain', {
    body: { certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', resource: 'orders-db' },
  });
  expect([answer.status, answer.body]).toEqual([
    500,
    {
      type: 'urn:portcullis:error:internal_error',
      title: 'internal error',
      status: 500,
      code: 'internal_error',
      detail: 'internal error',
    },
  ]);
  expect(JSON.stringify(answer)).not.toContain(canary);
  const [alarm] = failing.alarms as CallFailure[];
  expect([alarm!.message, alarm!.callId]).toEqual(['a call failed', answer.headers['x-request-id']]);
  expect((alarm!.cause as Error).message).toContain(canary);
});

test('who has used up a quota is told in seconds when to come back', async () => {
  const { call, withdrawn } = quotaScene();
  for (let i = 0; i < 200; i++) await withdrawn(`ticket ${i}`);
  const answer = await call('alice', 'POST', '/v1/requests', { body: ask });
  expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([429, 'quota_used_up', '86400']);
  expect(answer.body.detail).toBe('alice has made 200 requests within a day; try again at 2026-01-02T00:00:00.000Z');
});

/** Requests that are made and withdrawn at once. */
function quotaScene() {
  const quota = adminScene();
  const withdrawn = async (justification: string) => {
    const { id } = await quota.ask('alice', { justification });
    await withdrawRequest(quota.needed, actorFor('alice'), { id }, null);
  };
  return { ...quota, withdrawn };
}

test('while the service shuts down every call is told so, and probes still answer', async () => {
  const leaving = adminScene({ serving: () => 'shutting_down' });
  expect(await leaving.call('alice', 'GET', '/v1/whoami')).toMatchObject({
    status: 503,
    body: { code: 'shutting_down' },
  });
  expect((await leaving.call(null, 'GET', '/healthz')).status).toBe(200);
  expect((await leaving.call(null, 'GET', '/readyz')).status).toBe(503);
});

test('what is no HTTP is answered with a problem, and the connection is closed', async () => {
  const answer = await raw('nonsense\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(answer).toContain('urn:portcullis:error:invalid_request');
});

test('two readings of where a body ends are refused', async () => {
  const smuggle =
    'POST /v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  expect(await raw(smuggle)).toMatch(/^HTTP\/1\.1 400 /);
  expect(
    await raw('POST /v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
  ).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw('GET /healthz HTTP/1.1\nHost: x\n\n')).toMatch(/^HTTP\/1\.1 400 /);
});

test('headers beyond the limit are refused', async () => {
  const answer = await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(5_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(answer).toContain('headers_too_large');
});

test('headers that do not come in time are waited for no longer', async () => {
  const answer = await raw('GET /healthz HTTP/1.1\r\nHost: x\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('too_slow');
});

test('a body that does not come in time is waited for no longer', async () => {
  const authorization = `Bearer ${await scene.secretOf('alice')}`;
  const answer = await raw(
    `POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
});

test('a WebSocket is not opened', async () => {
  const upgrade =
    'GET /v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n';
  expect(await raw(upgrade.replace('Upgrade\r\n', 'Upgrade, close\r\n'))).toMatch(/^HTTP\/1\.1 401 /);
});
