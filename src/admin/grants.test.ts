import { expect, test } from 'vitest';
import { adminScene, inject } from '../../test/openapi/scene.js';
import { hours, minutes } from '../domain/time.js';

test('a grant is shown with its state', async () => {
  const { call, grantOf } = adminScene();
  const { grant, request } = await grantOf();
  const { status, body } = await call('alice', 'GET', `/v1/grants/${grant.id}`);
  expect([status, body]).toEqual([
    200,
    {
      id: grant.id,
      requestId: request.id,
      policy: 'prod-data',
      subject: 'corp/spiffe://corp/alice',
      person: 'alice',
      resource: 'orders-db',
      actions: ['access'],
      patterns: {},
      binding: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      startsAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2026-01-01T01:00:00.000Z',
      approvedBy: ['bob'],
      state: 'active',
      reason: null,
      end: null,
    },
  ]);
});

test('at its expiry a grant is ended, a millisecond before it is active', async () => {
  const { call, grantOf, clock } = adminScene();
  const { grant } = await grantOf();
  clock.advance((hours(1) - 1) as ReturnType<typeof hours>);
  expect((await call('alice', 'GET', `/v1/grants/${grant.id}`)).body.state).toBe('active');
  clock.advance(1 as ReturnType<typeof hours>);
  expect((await call('alice', 'GET', `/v1/grants/${grant.id}`)).body).toMatchObject({
    state: 'ended',
    reason: 'expired',
    end: null,
  });
});

test('its holder returns a grant, with a reason or without a body', async () => {
  const { call, grantOf, clock } = adminScene();
  const { grant } = await grantOf();
  clock.advance(minutes(5));
  const returned = await call('alice', 'POST', `/v1/grants/${grant.id}/return`, { body: { reason: 'done' } });
  expect([returned.status, returned.body.state, returned.body.reason]).toEqual([200, 'ended', 'returned']);
  expect(returned.body.end).toEqual({ at: '2026-01-01T00:05:00.000Z', by: 'alice', why: 'done' });
  const second = await grantOf();
  expect((await call('alice', 'POST', `/v1/grants/${second.grant.id}/return`)).body.end.why).toBe('');
});

test('a reviewer revokes what it approved, an operator and the host anything; what has ended stays as it ended', async () => {
  const { call, grantOf } = adminScene();
  const { grant } = await grantOf();
  const path = `/v1/grants/${grant.id}/revoke`;
  expect((await call('carol', 'POST', path)).status).toBe(404); // It approved another one, if any.
  expect((await call('alice', 'POST', path)).status).toBe(403);
  expect((await call('axel', 'POST', path)).status).toBe(403);
  expect((await call('bob', 'POST', path, { body: { reason: 'incident' } })).body).toMatchObject({
    reason: 'revoked',
    end: { by: 'bob' },
  });
  expect((await call('olga', 'POST', path)).body).toMatchObject({
    reason: 'revoked',
    end: { by: 'bob', why: 'incident' },
  });
  expect((await call('alice', 'POST', `/v1/grants/${grant.id}/return`)).body.reason).toBe('revoked');
});

test('the host revokes over its socket, when the disk is full and the clock suspect', async () => {
  const { app, grantOf, clock, disk } = adminScene({ door: { kind: 'socket' } });
  const { grant } = await grantOf();
  clock.distrust();
  disk.level = 'endings_only';
  expect((await inject(app, 'POST', `/v1/grants/${grant.id}/revoke`)).body).toMatchObject({
    reason: 'revoked',
    end: { by: 'host' },
  });
});

test('an ending takes a reason and nothing else', async () => {
  const { call, grantOf } = adminScene();
  const { grant } = await grantOf();
  for (const body of [{ by: 'bob' }, { reason: 7 }, { reason: 'a\u0007' }, { reason: 'x'.repeat(4_097) }]) {
    expect((await call('alice', 'POST', `/v1/grants/${grant.id}/return`, { body })).body.code).toBe('invalid_request');
  }
  expect((await call('alice', 'GET', `/v1/grants/${grant.id}`)).body.state).toBe('active');
});

test('the list narrows by everything that it can be asked for', async () => {
  const { call, grantOf, clock } = adminScene();
  const { grant: first } = await grantOf('alice');
  clock.advance(minutes(30));
  await grantOf('dave');
  clock.advance(minutes(1));
  const { grant: third } = await grantOf('bob');
  await call('bob', 'POST', `/v1/grants/${third.id}/return`);
  const people = async (who: string, query: string) =>
    (await call(who, 'GET', `/v1/grants?${query}`)).body.items.map((one: { person: string }) => one.person);
  expect(await people('axel', '')).toEqual(['bob', 'dave', 'alice']);
  expect(await people('bob', '')).toEqual(['bob', 'dave', 'alice']); // Its own, and what it approved.
  expect(await people('bob', 'mine=true')).toEqual(['bob']);
  expect(await people('carol', '')).toEqual(['bob']);
  expect(await people('alice', '')).toEqual(['alice']);
  expect(await people('axel', 'state=active')).toEqual(['dave', 'alice']);
  expect(await people('axel', 'state=ended')).toEqual(['bob']);
  expect(await people('axel', 'state=scheduled')).toEqual([]);
  expect(await people('axel', 'person=dave')).toEqual(['dave']);
  expect(await people('axel', 'subject=spiffe://corp/dave')).toEqual(['dave']);
  expect(await people('axel', 'resource=billing-api')).toEqual([]);
  expect(await people('axel', 'policy=prod-data')).toHaveLength(3);
  expect(await people('axel', 'since=2026-01-01T00:30:00Z')).toEqual(['bob', 'dave']);
  clock.advance(minutes(29));
  expect(await people('axel', 'state=ended')).toEqual(['bob', 'alice']);
  expect((await call('alice', 'GET', `/v1/grants/${first.id}`)).body.reason).toBe('expired');
});
