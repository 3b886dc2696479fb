import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withdrawRequest } from '../src/access/request.js';
import { createLock } from '../src/access/lock.js';
import { createToken } from '../src/access/token.js';
import { printPosition } from '../src/access/events/position.js';
import { createAdmin } from '../src/admin/server.js';
import type { Actor } from '../src/domain/actor.js';
import { draftIdOf } from '../src/domain/draft.js';
import type { RequestId } from '../src/domain/ids.js';
import type { PersonId } from '../src/domain/names.js';
import { ACCESS } from '../src/domain/resource.js';
import type { Subject } from '../src/domain/subject.js';
import { actorFor, decisionRecord, draft, ordersDb, person, prodData, sha256, subject } from './builders.js';
import { session, sessionStanding } from './guard-service/played-sessions.js';
import { adminScene, batchJob, batchService, type Answered, type CallWith } from './openapi/scene.js';
import { certificates, listenOn, socketCall, tlsCaller } from './openapi/tls.js';

/**
 * Who may do what, cell by cell: `own/other`. A number is the status of the answer. For lists `+` is 200 with the thing
 * in it, `-` is 200 without it. `.` where there is nothing of one's own. What is `other` belongs to alice (for alice: to
 * dave) and was approved by bob, the reviewer; carol, of the same group, has approved nothing but what is bob's own.
 */
const TABLE = `
                                requester reviewer carol   operator auditor admin   service unclaimed host  nobody
POST   /v1/requests             201/403   201/403  201/403 201/403  201/403 201/403 201/403 201/403   ./403 ./401
GET    /v1/requests             +/-       +/+      +/+     +/+      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/requests/:id         200/404   200/200  200/200 200/200  200/200 200/404 200/404 200/404   ./200 ./401
POST   /v1/requests/:id/reviews 403/404   403/201  403/201 403/403  403/403 403/404 403/403 403/403   ./403 ./401
POST   /v1/requests/:id/withdraw 200/404  200/403  200/403 200/403  200/403 200/404 200/404 200/404   ./403 ./401
GET    /v1/drafts               +/-       +/-      +/-     +/+      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/drafts/:id           200/404   200/404  200/404 200/200  200/200 200/404 200/404 200/404   ./200 ./401
POST   /v1/drafts/:id/submit    201/404   201/404  201/404 201/403  201/403 201/404 201/404 201/404   ./403 ./401
DELETE /v1/drafts/:id           200/404   200/404  200/404 200/403  200/403 200/404 200/404 200/404   ./403 ./401
GET    /v1/grants               +/-       +/+      +/-     +/+      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/grants/:id           200/404   200/200  200/404 200/200  200/200 200/404 200/404 200/404   ./200 ./401
POST   /v1/grants/:id/revoke    403/404   403/200  403/404 200/200  403/403 403/404 403/404 403/404   ./200 ./401
POST   /v1/grants/:id/return    200/404   200/403  200/404 200/403  200/403 200/404 200/404 200/404   ./403 ./401
GET    /v1/sessions             +/-       +/-      +/-     +/+      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/sessions/:id         200/404   200/404  200/404 200/200  200/200 200/404 200/404 200/404   ./200 ./401
POST   /v1/sessions/:id/cut     200/404   200/404  200/404 200/200  200/403 200/404 200/404 200/404   ./200 ./401
POST   /v1/locks                ./403     ./403    ./403   ./201    ./403   ./403   ./403   ./403     ./201 ./401
GET    /v1/locks                ./403     ./403    ./403   ./+      ./+     ./403   ./403   ./403     ./+   ./401
GET    /v1/locks/:id            ./403     ./403    ./403   ./200    ./200   ./403   ./403   ./403     ./200 ./401
DELETE /v1/locks/:id            ./403     ./403    ./403   ./200    ./403   ./403   ./403   ./403     ./200 ./401
GET    /v1/decisions            +/-       +/-      +/-     +/-      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/decisions/:id        200/404   200/404  200/404 200/404  200/200 200/404 200/404 200/404   ./200 ./401
POST   /v1/explain              200/403   200/403  200/403 200/200  200/200 200/403 200/403 200/403   ./200 ./401
POST   /v1/tokens               201/403   201/403  201/403 201/403  201/403 201/201 403/403 403/403   403/201 401/401
GET    /v1/tokens               +/-       +/-      +/-     +/-      +/-     +/+     -/-     ./-       ./+   ./401
GET    /v1/tokens/:id           200/404   200/404  200/404 200/404  200/404 200/200 404/404 ./404     ./200 ./401
DELETE /v1/tokens/:id           200/404   200/404  200/404 200/404  200/404 200/200 404/404 ./404     ./200 ./401
GET    /v1/policies             ./+       ./+      ./+     ./+      ./+     ./+     ./+     ./403     ./+   ./401
GET    /v1/resources            ./+       ./+      ./+     ./+      ./+     ./+     ./+     ./+       ./+   ./401
GET    /v1/events               +/-       +/+      +/+     +/+      +/+     +/-     +/-     +/-       ./+   ./401
GET    /v1/whoami               ./200     ./200    ./200   ./200    ./200   ./200   ./200   ./200     ./200 ./401
GET    /healthz                 ./200     ./200    ./200   ./200    ./200   ./200   ./200   ./200     ./200 ./200
GET    /readyz                  ./200     ./200    ./200   ./200    ./200   ./200   ./200   ./200     ./200 ./200
GET    /version                 ./200     ./200    ./200   ./200    ./200   ./200   ./200   ./200     ./200 ./200
GET    /openapi.json            ./200     ./200    ./200   ./200    ./200   ./200   ./200   ./200     ./200 ./200
`;

/** Who stands behind a column: a person by name, or a subject that nobody claims. */
const BEHIND = {
  requester: 'alice',
  reviewer: 'bob',
  carol: 'carol',
  operator: 'olga',
  auditor: 'axel',
  admin: 'ada',
  service: batchService,
  unclaimed: batchJob,
  host: null,
  nobody: null,
} as const;
type Column = keyof typeof BEHIND;

const [head, ...lines] = TABLE.trim().split('\n');
const columns = head!.trim().split(/\s+/) as Column[];
const rows = lines
  .map((line) => line.split(/\s+/))
  .map(([method, path, ...cells]) => ({ method: method!, path: path!, cells }));
const cases = rows.flatMap(({ method, path, cells }) =>
  cells.flatMap((cell, i) =>
    cell
      .split('/')
      .map((want, j) => ({ method, path, as: columns[i]!, of: j === 0 ? ('own' as const) : ('other' as const), want }))
      .filter(({ want }) => want !== '.'),
  ),
);

const certs = certificates();
const scene = adminScene({ door: certs.door, identifier: certs.identifier, limits: { burst: 10_000 } });
const socket = createAdmin({ ...scene.parts, door: { kind: 'socket' } });
const folder = mkdtempSync(join(tmpdir(), 'grid-'));
const socketPath = join(folder, 'admin.sock');
const registered: string[] = [];
scene.app.addHook('onRoute', ({ method, url }) => {
  for (const one of [method].flat()) registered.push(`${one} ${url}`);
});

type CallAs = (method: string, path: string, call?: CallWith) => Promise<Answered>;
const callers = new Map<Column, CallAs>();
const closers: (() => void)[] = [];
let serviceTokenId = '';

beforeAll(async () => {
  const port = await listenOn(scene.app);
  await socket.listen({ path: socketPath });
  const { token, secret } = await scene.serviceToken('ci', batchService);
  serviceTokenId = token.id;
  for (const column of columns) callers.set(column, callerFor(column, port, secret));
});
afterAll(async () => {
  for (const close of closers) close();
  await Promise.all([scene.app.close(), socket.close()]);
  rmSync(folder, { recursive: true });
});

function callerFor(column: Column, port: number, secret: string): CallAs {
  if (column === 'host') return (method, path, call) => socketCall(socketPath, method, path, call);
  const name =
    column === 'unclaimed' ? 'batch/report' : column === 'service' || column === 'nobody' ? null : BEHIND[column];
  const { call, close } = tlsCaller(port, certs.ca, name && certs.client(name));
  closers.push(close);
  if (column !== 'service') return call;
  return (method, path, more) =>
    call(method, path, { ...more, headers: { ...more?.headers, authorization: `Bearer ${secret}` } });
}

/** Whose thing a cell is about: the caller's own, or somebody else's. */
function ownerOf({ as, of }: { as: Column; of: 'own' | 'other' }) {
  if (of === 'own' && as === 'unclaimed') return unclaimed(batchJob);
  if (of === 'own' && as === 'service') return unclaimed(batchService);
  const name = of === 'own' ? (BEHIND[as] ?? 'alice') : as === 'requester' ? 'dave' : 'alice';
  return { actor: actorFor(name), subject: subject(name), person: person(name) };
}

function unclaimed(one: Subject) {
  const actor: Actor = { kind: 'subject', subject: one, via: 'certificate' };
  return { actor, subject: one, person: one as string as PersonId };
}

type Owner = ReturnType<typeof ownerOf>;

const waiting: { readonly actor: Actor; readonly id: RequestId }[] = [];
let count = 0;

/** A request that nobody has asked before. What still waits from the cells before is out of the way. */
async function requestOf({ actor, subject: one }: Owner) {
  for (const { actor: other, id } of waiting.splice(0))
    await withdrawRequest(scene.needed, other, { id }, null).catch(() => undefined);
  const request = await scene.ask(actor, { subject: one, justification: `cell ${++count}` });
  waiting.push({ actor, id: request.id });
  return request;
}

async function grantOf(owner: Owner) {
  const { id } = await requestOf(owner);
  return (await scene.review(owner.person === 'bob' ? 'carol' : 'bob', id)).grant!;
}

/** What a refusal has left; the policy of this scene takes no justification. */
async function draftOf(owner: Owner) {
  const target = { subject: owner.subject, resource: ordersDb, action: ACCESS, policy: prodData };
  const made = draft({ ...target, id: draftIdOf(target, sha256), createdAt: scene.clock.read().wall });
  await scene.store.change(made.createdAt, (change) => change.keepDraft(made));
  return made;
}

function sessionOf({ subject: one, person: behind }: Owner) {
  const made = session(++count, { subject: one, person: behind });
  scene.sessions.standings.push(sessionStanding(count, { session: made }));
  return made;
}

const lock = () =>
  createLock(
    scene.needed,
    { kind: 'host' },
    { target: { kind: 'person', person: person('nobody') }, reason: 'x', unknownOk: true },
    null,
  );

async function decisionOf({ subject: one, person: behind }: Owner) {
  const record = decisionRecord(++count, { subject: one, person: behind });
  await scene.store.recordDecisions([record]);
  return record;
}

async function tokenOf(owner: Owner, as: Column, of: 'own' | 'other'): Promise<{ readonly id: string }> {
  if (as === 'service' && of === 'own') return { id: serviceTokenId };
  return (await createToken(scene.needed, owner.actor, {}, scene.parts.randomSecret)).token;
}

/** What a row calls for one cell; `id` is what a list may hold. */
interface Prepared {
  readonly id?: string;
  readonly path?: string;
  readonly body?: unknown;
}

const byId = ({ id }: { readonly id: string }): Prepared => ({ id, path: id });

/** How the thing of each row is made. A row without an entry needs nothing. */
const PREPARE: Record<string, (owner: Owner, as: Column, of: 'own' | 'other') => Promise<Prepared> | Prepared> = {
  'POST /v1/requests': ({ subject: one }) => ({
    body: { resource: 'orders-db', subject: one, justification: `cell ${++count}` },
  }),
  'GET /v1/requests': async (owner) => byId(await requestOf(owner)),
  'GET /v1/requests/:id': async (owner) => byId(await requestOf(owner)),
  'POST /v1/requests/:id/reviews': async (owner) => {
    const { id, digest } = await requestOf(owner);
    return { path: id, body: { verdict: 'approve', digest } };
  },
  'POST /v1/requests/:id/withdraw': async (owner) => byId(await requestOf(owner)),
  'GET /v1/drafts': async (owner) => byId(await draftOf(owner)),
  'GET /v1/drafts/:id': async (owner) => byId(await draftOf(owner)),
  'POST /v1/drafts/:id/submit': async (owner) => byId(await draftOf(owner)),
  'DELETE /v1/drafts/:id': async (owner) => byId(await draftOf(owner)),
  'GET /v1/grants': async (owner) => byId(await grantOf(owner)),
  'GET /v1/grants/:id': async (owner) => byId(await grantOf(owner)),
  'POST /v1/grants/:id/revoke': async (owner) => byId(await grantOf(owner)),
  'POST /v1/grants/:id/return': async (owner) => byId(await grantOf(owner)),
  'GET /v1/sessions': (owner) => byId(sessionOf(owner)),
  'GET /v1/sessions/:id': (owner) => byId(sessionOf(owner)),
  'POST /v1/sessions/:id/cut': (owner) => byId(sessionOf(owner)),
  'POST /v1/locks': () => ({
    body: { target: { kind: 'person', person: 'nobody' }, reason: 'x', unknownOk: true },
  }),
  'GET /v1/locks': async () => byId(await lock()),
  'GET /v1/locks/:id': async () => byId(await lock()),
  'DELETE /v1/locks/:id': async () => byId(await lock()),
  'GET /v1/decisions': async (owner) => byId(await decisionOf(owner)),
  'GET /v1/decisions/:id': async (owner) => byId(await decisionOf(owner)),
  'POST /v1/explain': ({ subject: one }) => ({ body: { subject: one, resource: 'orders-db' } }),
  'POST /v1/tokens': (_owner, _as, of) => ({ body: of === 'own' ? {} : { service: 'other' } }),
  'GET /v1/tokens': async (owner, as, of) => byId(await tokenOf(owner, as, of)),
  'GET /v1/tokens/:id': async (owner, as, of) => byId(await tokenOf(owner, as, of)),
  'DELETE /v1/tokens/:id': async (owner, as, of) => byId(await tokenOf(owner, as, of)),
  'GET /v1/events': async (owner) => byId(await requestOf(owner)),
  'GET /v1/policies': () => ({ id: 'prod-data' }),
  'GET /v1/resources': () => ({ id: 'orders-db' }),
};

test('every route that there is stands in the table, every row is of a route, and every row is whole', async () => {
  await scene.app.ready();
  const listed = rows.map(({ method, path }) => `${method} ${path}`);
  expect(registered.filter((route) => !route.startsWith('HEAD ')).sort()).toEqual([...listed].sort());
  expect(rows.filter(({ cells }) => cells.length !== columns.length)).toEqual([]);
  expect(columns).toEqual(Object.keys(BEHIND));
});

test('HEAD is there exactly where GET is, so what holds for the one holds for the other', () => {
  const paths = (method: string) =>
    registered.filter((route) => route.startsWith(`${method} `)).map((route) => route.slice(method.length + 1));
  expect(paths('HEAD').sort()).toEqual(paths('GET').sort());
});

test.for(cases)('$method $path as $as, $of: $want', async ({ method, path, as, of, want }) => {
  const before = printPosition(scene.events.position);
  const { id, path: part, body } = (await PREPARE[`${method} ${path}`]?.(ownerOf({ as, of }), as, of)) ?? {};
  const list = want === '+' || want === '-';
  const isStream = path === '/v1/events';
  const url = path.replace(':id', part ?? '') + (list && !isStream ? '?limit=500' : '');
  const headers = isStream ? { 'last-event-id': before } : {};
  const answer = await callers.get(as)!(method, url, { body, headers });
  expect(answer.status).toBe(list ? 200 : Number(want));
  if (list) {
    const shown = answer.body.items.map((item: { id?: string; name?: string }) => item.id ?? item.name);
    expect(shown.includes(id)).toBe(want === '+');
  }
  if (answer.status >= 400) expect(answer.headers['content-type']).toContain('application/problem+json');
});
