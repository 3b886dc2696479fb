import { describe, expect, test } from 'vitest';
import { alice, at, bob, person, T0 } from '../../test/builders.js';
import { session, sessionStanding } from '../../test/guard-service/played-sessions.js';
import { adminScene } from '../../test/openapi/scene.js';
import { hours } from '../domain/time.js';

const onDave = {
  target: { kind: 'person', person: 'dave' },
  reason: 'incident 12',
  message: 'call the desk',
  duration: '1h',
};

test('a lock is shown with its state, which ends at its end', async () => {
  const { call, clock } = adminScene();
  const { status, headers, body } = await call('olga', 'POST', '/v1/locks', { body: onDave });
  expect([status, headers['location']]).toEqual([201, `/v1/locks/${body.id}`]);
  expect(body).toEqual({
    id: expect.stringMatching(/^lock_/) as unknown,
    target: { kind: 'person', person: 'dave' },
    reason: 'incident 12',
    message: 'call the desk',
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'olga',
    expiresAt: '2026-01-01T01:00:00.000Z',
    state: 'in_force',
    hit: { grants: 0, sessions: 0 },
    warning: null,
  });
  clock.advance(hours(1));
  expect((await call('olga', 'GET', `/v1/locks/${body.id}`)).body.state).toBe('expired');
  expect((await call('olga', 'GET', '/v1/locks?state=in_force')).body.items).toEqual([]);
  expect((await call('olga', 'GET', '/v1/locks?state=expired')).body.items).toHaveLength(1);
});

test('a subject is locked under its one canonical name, in whatever spelling it came', async () => {
  const { call } = adminScene();
  const lock = async (subject: string) =>
    (await call('olga', 'POST', '/v1/locks', { body: { target: { kind: 'subject', subject }, reason: 'x' } })).body;
  expect((await lock('spiffe://corp/alice')).target).toEqual({ kind: 'subject', subject: 'corp/spiffe://corp/alice' });
  expect((await lock('dn:cn=alice,o=Acme')).target.subject).toBe('corp/dn:CN=alice,O=Acme');
  expect((await lock('alice')).code).toBe('invalid_subject');
});

test('an unlocked lock is gone', async () => {
  const { call } = adminScene();
  const { body } = await call('olga', 'POST', '/v1/locks', { body: onDave });
  const removed = await call('olga', 'DELETE', `/v1/locks/${body.id}`);
  const { hit: _hit, warning: _warning, ...lock } = body;
  expect([removed.status, removed.body]).toEqual([200, { ...lock, state: 'removed' }]);
  expect((await call('olga', 'GET', `/v1/locks/${body.id}`)).status).toBe(404);
  expect((await call('olga', 'DELETE', `/v1/locks/${body.id}`)).status).toBe(404);
});

test('unlocking with the tag of another lock does nothing', async () => {
  const { call } = adminScene();
  const { body } = await call('olga', 'POST', '/v1/locks', { body: onDave });
  const remove = (who: string, tag: string) =>
    call(who, 'DELETE', `/v1/locks/${body.id}`, { headers: { 'if-match': tag } });
  expect((await remove('olga', '"7"')).status).toBe(412);
  expect((await remove('alice', '"7"')).status).toBe(403); // Whether there is such a lock is not told.
  expect((await call('axel', 'GET', `/v1/locks/${body.id}`)).status).toBe(200);
});

const targets: unknown[] = [
  undefined,
  'dave',
  {},
  { kind: 'everything' },
  { kind: 'person' },
  { kind: 'person', person: '' },
  { kind: 'person', person: 'Dave' },
  { kind: 'person', person: 'dave', resource: 'orders-db' },
  { kind: 'resource', resource: '*' },
  { kind: 'subject', subject: '' },
  [{ kind: 'person', person: 'dave' }],
];

const shared = adminScene();

test.for(targets)('the target %j is refused', async (target) => {
  const { call } = shared;
  const { status, body } = await call('olga', 'POST', '/v1/locks', { body: { ...onDave, target } });
  expect([status, body.code]).toEqual([400, 'invalid_request']);
});

test('a lock needs a reason, and its message is plain text', async () => {
  const { call } = adminScene();
  for (const over of [{ reason: ' ' }, { reason: undefined }, { message: 'a\u202eb' }, { message: 'x'.repeat(4_097) }])
    expect((await call('olga', 'POST', '/v1/locks', { body: { ...onDave, ...over } })).body.code).toBe(
      'invalid_request',
    );
  for (const duration of ['0s', '-1h', '1.5h', '4000d'])
    expect((await call('olga', 'POST', '/v1/locks', { body: { ...onDave, duration } })).body.code).toBe(
      'invalid_duration',
    );
});

describe('a name that may be a slip', () => {
  const lockOn = (target: object, more = {}) =>
    adminScene().call('olga', 'POST', '/v1/locks', { body: { target, reason: 'incident 12', ...more } });

  test.for([
    [{ kind: 'person', person: 'dav' }, 'nothing is known of a person "dav"; did you mean "dave"?'],
    [
      { kind: 'resource', resource: 'orders-bd' },
      'nothing is known of a resource "orders-bd"; did you mean "orders-db"?',
    ],
    [{ kind: 'person', person: 'somebody' }, 'nothing is known of a person "somebody"'],
  ] as const)('%j is refused, unless the caller insists', async ([target, detail]) => {
    const { status, body } = await lockOn(target);
    expect([status, body.code, body.detail]).toEqual([422, 'unknown_target', detail]);
    const insisted = await lockOn(target, { unknownOk: true });
    expect([insisted.status, insisted.body.target, insisted.body.warning]).toEqual([201, target, detail]);
  });

  test('of a subject is locked, with a warning, unless somebody claims it or a policy admits it', async () => {
    const warningOf = async (subject: string) => {
      const { status, body } = await lockOn({ kind: 'subject', subject });
      return [status, body.warning];
    };
    expect(await warningOf('spiffe://corp/alicce')).toEqual([
      201,
      'nobody claims the subject "corp/spiffe://corp/alicce", and no policy admits it; did you mean "corp/spiffe://corp/alice"?',
    ]);
    expect(await warningOf('spiffe://corp/alice')).toEqual([201, null]);
    expect(await warningOf('spiffe://corp/batch/report')).toEqual([201, null]);
  });
});

test('a new lock says which grants it denies, and which sessions it has cut', async () => {
  const scene = adminScene();
  const end = { at: T0, cutAfter: 7, upstream: null, bytesReceived: 1, bytesSent: 2 } as const;
  await scene.grantOf('alice');
  const { grant: ended } = await scene.grantOf('alice');
  await scene.call('alice', 'POST', `/v1/grants/${ended.id}/return`, { body: {} });
  await scene.grantOf('dave');
  scene.sessions.standings.push(
    sessionStanding(1),
    sessionStanding(2, { end: { ...end, reason: 'locked' } }),
    sessionStanding(3, { end: { ...end, reason: 'locked', at: at(-1) } }),
    sessionStanding(4, { end: { ...end, reason: 'closed' } }),
    sessionStanding(5, { session: session(5, { subject: bob, person: person('bob') }) }),
  );
  const hitBy = async (target: object) =>
    (await scene.call('olga', 'POST', '/v1/locks', { body: { target, reason: 'x' } })).body.hit;
  expect(await hitBy({ kind: 'subject', subject: alice })).toEqual({ grants: 1, sessions: 2 });
  expect(await hitBy({ kind: 'resource', resource: 'orders-db' })).toEqual({ grants: 2, sessions: 3 });
  expect(await hitBy({ kind: 'person', person: 'bob' })).toEqual({ grants: 0, sessions: 1 });
  expect(await hitBy({ kind: 'resource', resource: 'billing-api' })).toEqual({ grants: 0, sessions: 0 });
});

test('a request says which locks deny it, to whoever may see it, while it may still give something', async () => {
  const { call, ask, review, clock } = adminScene();
  const { id } = await ask('alice');
  const denied = await ask('dave');
  const { body: lock } = await call('olga', 'POST', '/v1/locks', {
    body: { target: { kind: 'resource', resource: 'orders-db' }, reason: 'secret', message: 'call the desk' },
  });
  await call('olga', 'POST', '/v1/locks', { body: { target: { kind: 'person', person: 'bob' }, reason: 'x' } });
  const hit = { id: lock.id, target: lock.target, message: 'call the desk', expiresAt: null };
  const locksOf = async (who: string, request = id) => (await call(who, 'GET', `/v1/requests/${request}`)).body.locks;
  expect(await locksOf('alice')).toEqual([hit]);
  expect((await call('carol', 'GET', '/v1/requests?reviewable=true')).body.items[0].locks).toEqual([hit]);
  await review('carol', id);
  expect(await locksOf('carol')).toEqual([hit]);
  await review('carol', denied.id, 'deny');
  expect(await locksOf('carol', denied.id)).toEqual([]);
  clock.advance(hours(1));
  expect(await locksOf('carol')).toEqual([]);
});
