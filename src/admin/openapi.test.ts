import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { actorFor, decisionRecord, draft as draftOf, draftId, group, person, policy, T0 } from '../../test/builders.js';
import { session as sessionOf, sessionStanding } from '../../test/guard-service/played-sessions.js';
import { adminPolicies, adminScene, answered, inject, type Answered, type CallWith } from '../../test/openapi/scene.js';
import { certificates, listenOn, tlsCaller } from '../../test/openapi/tls.js';
import { createLock } from '../access/lock.js';
import { createToken } from '../access/token.js';
import { AccessError } from '../domain/errors.js';
import { memoryStore } from '../store/memory.js';
import type { Store } from '../store/store.js';
import { SubmitBody } from './schemas/draft.js';
import { ExplainBody } from './schemas/explanation.js';
import { EndingBody } from './schemas/grant.js';
import { LockBody } from './schemas/lock.js';
import { RequestBody } from './schemas/request.js';
import { TokenBody } from './schemas/token.js';
import { createAdmin } from './server.js';

// oxlint-disable-next-line typescript/no-explicit-any -- the description is looked into from all sides
type Json = any;

const COMMITTED = new URL('../../docs/openapi.json', import.meta.url);
const description: Json = JSON.parse(readFileSync(COMMITTED, 'utf8'));
const operations: { method: string; path: string; operation: Json }[] = Object.entries<Json>(description.paths).flatMap(
  ([path, item]) =>
    Object.entries<Json>(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

test('the committed description is that of this code; `vitest run src/admin/openapi.test.ts -u` writes it anew', async () => {
  const { body } = await adminScene().call(null, 'GET', '/openapi.json');
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot(COMMITTED.pathname);
});

test('the description is written once, however often it is asked for', async () => {
  const { app } = adminScene();
  const first = await app.inject('/openapi.json');
  const write = vi.spyOn(JSON, 'stringify');
  try {
    const second = await app.inject('/openapi.json');
    expect(write.mock.calls.filter(([value]) => value?.openapi !== undefined)).toEqual([]);
    expect([second.body, second.headers['content-type']]).toEqual([first.body, first.headers['content-type']]);
  } finally {
    write.mockRestore();
  }
  expect(JSON.parse(first.body)).toEqual(description);
});

test('every route is described', async () => {
  const { app } = adminScene();
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push(`${one} ${url.replace(/:(\w+)/g, '{$1}')}`);
  });
  await app.ready();
  expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(routes.sort());
});

/** All objects of a document, however deep. */
function* objectsIn(value: Json): Generator<Json> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

test('the description has the form of OpenAPI 3.1', () => {
  expect(description.openapi).toBe('3.1.0');
  expect(description.info).toMatchObject({ title: 'Portcullis', version: 'v1', license: { identifier: 'Apache-2.0' } });
  const tags = description.tags.map((tag: Json) => tag.name);
  for (const { path, operation } of operations) {
    expect(path).toMatch(/^(?:\/(?:[a-z0-9.]+|\{[a-z]+\}))+$/);
    expect(operation).toMatchObject({ operationId: expect.any(String), summary: expect.any(String) } as never);
    expect(tags).toEqual(expect.arrayContaining(operation.tags));
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = (operation.parameters ?? []) as Json[];
    expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath);
    for (const one of parameters) {
      expect(['path', 'query', 'header']).toContain(one.in);
      expect(one.required).toBe(one.in === 'path');
      expect(one.schema.type).toMatch(/^(?:string|integer|boolean)$/);
    }
    expect(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(parameters.length);
    for (const [status, answer] of Object.entries<Json>(operation.responses)) {
      expect(status).toMatch(/^[2345]\d\d$/);
      expect(answer.description).not.toBe('');
      const types = Object.keys(answer.content ?? {});
      const expected =
        status === '304' ? [] : status >= '400' && path !== '/readyz' ? ['application/problem+json'] : types;
      expect([path, status, types]).toEqual([path, status, expected]);
    }
  }
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads somewhere, every component is used, and no name is left over from a tool', () => {
  const used = new Set<string>();
  for (const value of objectsIn(description)) {
    if (typeof value.$ref !== 'string') continue;
    const [, kind, name] = /^#\/components\/(schemas|headers)\/([A-Za-z-]+)$/.exec(value.$ref) ?? [];
    expect(Object.keys(description.components[kind!])).toContain(name);
    used.add(`${kind} ${name}`);
  }
  const { schemas, headers } = description.components;
  const defined = [
    ...Object.keys(headers).map((name) => `headers ${name}`),
    ...Object.keys(schemas).map((name) => `schemas ${name}`),
  ];
  expect([...used].sort()).toEqual(defined.sort());
  expect([...used].filter((name) => name.endsWith('Input'))).toEqual([]);
});

test('every schema is of the dialect of OpenAPI 3.1, and every object is closed', () => {
  const keywords = new Set(
    '$ref type properties required additionalProperties items enum const oneOf anyOf pattern format minimum maximum minLength maxLength minItems maxItems description examples default propertyNames contentMediaType contentSchema'.split(
      ' ',
    ),
  );
  const visit = (schema: Json, at: string): void => {
    expect([at, Object.keys(schema).filter((key) => !keywords.has(key))]).toEqual([at, []]);
    if (schema.type === 'object') expect([at, schema.additionalProperties === undefined]).toEqual([at, false]);
    if (schema.pattern) expect(() => new RegExp(schema.pattern, 'u')).not.toThrow();
    for (const [name, member] of Object.entries<Json>(schema.properties ?? {})) visit(member, `${at}/${name}`);
    for (const one of schema.oneOf ?? schema.anyOf ?? []) visit(one, at);
    if (schema.items) visit(schema.items, `${at}[]`);
  };
  for (const [name, schema] of Object.entries<Json>(description.components.schemas)) visit(schema, name);
});

test('what needs credentials takes a certificate or a token, and what does not is open', () => {
  expect(Object.keys(description.components.securitySchemes)).toEqual(['certificate', 'token']);
  const open = operations.filter(({ operation }) => operation.security.length === 0).map(({ path }) => path);
  expect(open.sort()).toEqual(['/healthz', '/openapi.json', '/readyz', '/version']);
  for (const { path, operation } of operations.filter(({ path }) => !open.includes(path)))
    expect([path, operation.security]).toEqual([path, [{ certificate: [] }, { token: [] }]]);
});

test('only an ending, and a draft that says everything, may come without its body', () => {
  const optional = operations.filter(({ operation }) => operation.requestBody?.required === false);
  expect(optional.map(({ operation }) => operation.operationId)).toEqual([
    'submitDraft',
    'revokeGrant',
    'returnGrant',
    'cutSession',
  ]);
});

const bodies: Record<string, z.ZodType> = { RequestBody, SubmitBody, EndingBody, LockBody, ExplainBody, TokenBody };

test.for(Object.entries(bodies))('the example of %s is one', ([name, schema]) => {
  const { examples } = description.components.schemas[name];
  expect(examples).toHaveLength(1);
  expect(schema.safeParse(examples[0]).success).toBe(true);
});

// From here on: every status that is described comes about.

/** A call of an operation that goes well. */
interface Case {
  readonly who: string;
  readonly path: string;
  readonly body?: unknown;
}

/** A service whose store can be broken, and the same service behind doors of other kinds. */
function breakableScene() {
  const inner = memoryStore();
  const broken: { how: 'not' | 'unreadable' | 'full' } = { how: 'not' };
  const store: Store = {
    ...inner,
    read: (use) => {
      if (broken.how === 'unreadable') throw new Error('canary-5ecret');
      return inner.read(use);
    },
    change: (time, use) =>
      broken.how === 'full' ? Promise.reject(new AccessError('storage_full', 'no room')) : inner.change(time, use),
  };
  const scene = adminScene({ store });
  return {
    ...scene,
    broken,
    leaving: createAdmin({ ...scene.parts, serving: () => 'shutting_down' }),
    limited: createAdmin({ ...scene.parts, limits: { burst: 0, readBurst: 0 } }),
  };
}
type Scene = ReturnType<typeof breakableScene>;
type Make = (scene: Scene) => Promise<Case> | Case;

let count = 0;
const forAlice = () => ({ resource: 'orders-db', subject: 'spiffe://corp/alice', justification: `${++count}` });
const pending = (scene: Scene) => scene.ask('alice', { justification: `${++count}` });
const grant = async (scene: Scene) => (await scene.review('bob', (await pending(scene)).id)).grant!;
async function draft({ store }: Pick<Scene, 'store'>) {
  const made = draftOf({ id: draftId(++count) });
  await store.change(T0, (change) => change.keepDraft(made)).catch(() => undefined);
  return made;
}
const lock = ({ needed }: Scene) =>
  createLock(needed, { kind: 'host' }, { target: { kind: 'person', person: person('dave') }, reason: 'x' }, null);
const token = async ({ needed, parts }: Scene) =>
  (await createToken(needed, actorFor('alice'), {}, parts.randomSecret)).token;
const session = ({ sessions }: Scene) => {
  sessions.standings.push(sessionStanding(++count, { session: sessionOf(count) }));
  return sessionOf(count).id;
};
async function decision({ store }: Scene) {
  const record = decisionRecord(++count);
  await store.recordDecisions([record]);
  return record;
}
const at =
  (who: string, path: string, body?: unknown): Make =>
  () => ({ who, path, body });

const GOES_WELL: Record<string, Make> = {
  listRequests: at('alice', '/v1/requests'),
  submitRequest: () => ({ who: 'alice', path: '/v1/requests', body: forAlice() }),
  getRequest: async (scene) => ({ who: 'alice', path: `/v1/requests/${(await pending(scene)).id}` }),
  reviewRequest: async (scene) => {
    const { id, digest } = await pending(scene);
    return { who: 'bob', path: `/v1/requests/${id}/reviews`, body: { verdict: 'deny', digest } };
  },
  withdrawRequest: async (scene) => ({ who: 'alice', path: `/v1/requests/${(await pending(scene)).id}/withdraw` }),
  listDrafts: at('alice', '/v1/drafts'),
  getDraft: async (scene) => ({ who: 'alice', path: `/v1/drafts/${(await draft(scene)).id}` }),
  submitDraft: async (scene) => ({ who: 'alice', path: `/v1/drafts/${(await draft(scene)).id}/submit`, body: {} }),
  dismissDraft: async (scene) => ({ who: 'alice', path: `/v1/drafts/${(await draft(scene)).id}` }),
  listGrants: at('alice', '/v1/grants'),
  getGrant: async (scene) => ({ who: 'alice', path: `/v1/grants/${(await grant(scene)).id}` }),
  revokeGrant: async (scene) => ({ who: 'olga', path: `/v1/grants/${(await grant(scene)).id}/revoke`, body: {} }),
  returnGrant: async (scene) => ({ who: 'alice', path: `/v1/grants/${(await grant(scene)).id}/return`, body: {} }),
  listSessions: at('alice', '/v1/sessions'),
  getSession: async (scene) => ({ who: 'alice', path: `/v1/sessions/${session(scene)}` }),
  cutSession: async (scene) => ({ who: 'alice', path: `/v1/sessions/${session(scene)}/cut`, body: {} }),
  listLocks: at('axel', '/v1/locks'),
  createLock: at('olga', '/v1/locks', { target: { kind: 'person', person: 'dave' }, reason: 'x' }),
  getLock: async (scene) => ({ who: 'axel', path: `/v1/locks/${(await lock(scene)).id}` }),
  removeLock: async (scene) => ({ who: 'olga', path: `/v1/locks/${(await lock(scene)).id}` }),
  listDecisions: at('alice', '/v1/decisions'),
  getDecision: async (scene) => ({ who: 'alice', path: `/v1/decisions/${(await decision(scene)).id}` }),
  explain: at('alice', '/v1/explain', { subject: 'spiffe://corp/alice', resource: 'orders-db' }),
  listTokens: at('alice', '/v1/tokens'),
  createToken: at('ada', '/v1/tokens', { service: 'ci' }),
  getToken: async (scene) => ({ who: 'alice', path: `/v1/tokens/${(await token(scene)).id}` }),
  revokeToken: async (scene) => ({ who: 'alice', path: `/v1/tokens/${(await token(scene)).id}` }),
  listPolicies: at('alice', '/v1/policies'),
  listResources: at('alice', '/v1/resources'),
  listenToEvents: at('alice', '/v1/events'),
  getHealth: at('alice', '/healthz'),
  getReadiness: at('alice', '/readyz'),
  getVersion: at('alice', '/version'),
  whoami: at('alice', '/v1/whoami'),
  getDescription: at('alice', '/openapi.json'),
};

/** One call, its good form changed in some way. */
interface Attempt extends Case {
  readonly scene: Scene;
  readonly method: string;
}
type Spoil = (attempt: Attempt) => Promise<Answered>;

const send = ({ scene, who, method, path, body }: Attempt, headers?: CallWith['headers']) =>
  scene.call(who, method, path, { body, ...(headers && { headers }) });
const through = async (door: FastifyInstance, { scene, who, method, path, body }: Attempt) =>
  inject(door, method, path, { body, headers: { authorization: `Bearer ${await scene.secretOf(who)}` } });
async function whileBroken(how: Scene['broken']['how'], attempt: Attempt): Promise<Answered> {
  await attempt.scene.secretOf(attempt.who);
  attempt.scene.broken.how = how;
  try {
    return await send(attempt);
  } finally {
    attempt.scene.broken.how = 'not';
  }
}

// These come about before anything is known of the operation, so once is enough.
let tooSlow: Promise<Answered> | undefined;
let tooLarge: Promise<Answered> | undefined;

/** What a connection is answered that never becomes a call. */
async function refusedConnection(text: string): Promise<Answered> {
  const { app } = adminScene({ limits: { headersMs: 100 } });
  const port = await listenOn(app);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
  await app.close();
  const [head, body] = answer.split('\r\n\r\n');
  const [line, ...headers] = head!.split('\r\n');
  const pairs = headers.map((header) => header.split(': '));
  return answered(Number(line!.split(' ')[1]), Object.fromEntries(pairs), body!);
}

/** How each status comes about, for any operation. */
const SPOILED: Record<string, Spoil> = {
  200: (attempt) => send(attempt),
  201: (attempt) => send(attempt),
  202: async (attempt) => {
    attempt.scene.sessions.isLate();
    return send(attempt).finally(() => (attempt.scene.sessions.outstanding = []));
  },
  304: (attempt) => send(attempt, { 'if-none-match': '*' }),
  400: (attempt) => send({ ...attempt, path: `${attempt.path}?unknown=1` }),
  401: ({ scene, method, path, body }) => scene.call(null, method, path, { body }),
  403: (attempt) => send(attempt, { origin: 'https://evil.example' }),
  404: (attempt) => send({ ...attempt, path: attempt.path.replace(/_[0-9a-z]{26}/, `_${'7'.repeat(26)}`) }),
  409: async (attempt) => {
    await attempt.scene.store.change(T0, (change) =>
      change.remember(`person ${attempt.who}`, 'used', { bodyDigest: 'other', result: null, at: T0 }),
    );
    return send(attempt, { 'idempotency-key': 'used' });
  },
  408: () => (tooSlow ??= refusedConnection('GET / HTTP/1.1\r\nHost: x\r\n')),
  412: (attempt) => send(attempt, { 'if-match': '"999999"' }),
  413: (attempt) => send({ ...attempt, body: `{"x":"${'x'.repeat(0x10000)}"}` }),
  415: (attempt) => send({ ...attempt, body: '{}' }, { 'content-type': 'text/plain' }),
  429: (attempt) => through(attempt.scene.limited, attempt),
  431: () => (tooLarge ??= refusedConnection(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(0x5000)}\r\n\r\n`)),
  500: (attempt) => whileBroken('unreadable', attempt),
  503: (attempt) => through(attempt.scene.leaving, attempt),
  507: (attempt) => whileBroken('full', attempt),
};

/** Where an operation has a way of its own. */
const SPOILED_OTHERWISE: Record<string, Spoil> = {
  'submitRequest 404': (attempt) => send({ ...attempt, body: { ...forAlice(), resource: 'nothing' } }),
  'submitRequest 422': (attempt) => send({ ...attempt, body: { resource: 'orders-db' } }),
  'submitDraft 422': async ({ method }) => {
    const who = { people: [], groups: [group('everybody')], subjects: [] };
    const strict = adminScene({ policies: adminPolicies({ policies: [policy({ who, justification: 'required' })] }) });
    return strict.call('alice', method, `/v1/drafts/${(await draft(strict)).id}/submit`, { body: {} });
  },
  'createLock 422': (attempt) =>
    send({ ...attempt, body: { target: { kind: 'person', person: 'nobody' }, reason: 'x' } }),
  'listLocks 403': (attempt) => send({ ...attempt, who: 'alice' }),
  'getLock 403': (attempt) => send({ ...attempt, who: 'alice' }),
  'listPolicies 403': async ({ method, path }) => {
    const certs = certificates();
    const { app } = adminScene({ door: certs.door, identifier: certs.identifier });
    const caller = tlsCaller(await listenOn(app), certs.ca, certs.client('unclaimed'));
    const answer = await caller.call(method, path);
    caller.close();
    await app.close();
    return answer;
  },
};

test.for(operations)('every status that is described for $method $path comes about', async ({ method, operation }) => {
  const { operationId, responses } = operation;
  const scene = breakableScene();
  for (const [status, described] of Object.entries<Json>(responses)) {
    const spoil = SPOILED_OTHERWISE[`${operationId} ${status}`] ?? SPOILED[status];
    const good = await GOES_WELL[operationId]!(scene);
    const answer = await spoil!({ ...good, scene, method });
    expect([status, answer.status]).toEqual([status, Number(status)]);
    const [type] = String(answer.headers['content-type'] ?? '').split(';');
    expect([status, type]).toEqual([status, Object.keys(described.content ?? {})[0] ?? '']);
    for (const name of Object.keys(described.headers))
      expect([status, answer.headers]).toHaveProperty(['1', name.toLowerCase()]);
    expect(JSON.stringify(answer)).not.toContain('canary');
  }
});
