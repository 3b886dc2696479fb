import { expect, test } from 'vitest';
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
  expect([removed.status, removed.body]).toEqual([200, body]);
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
