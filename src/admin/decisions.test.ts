import { expect, test } from 'vitest';
import { billingApi, decisionRecord, person, subject } from '../../test/builders.js';
import { adminScene } from '../../test/openapi/scene.js';

test('a decision is shown as it was recorded', async () => {
  const { call, store } = adminScene();
  const record = decisionRecord(7, { source: '10.0.0.1:5', request: 'GET /x', reason: 'locked', message: 'call us' });
  await store.recordDecisions([record]);
  expect((await call('alice', 'GET', `/v1/decisions/${record.id}`)).body).toEqual({
    ...record,
    at: '2026-01-01T00:00:00.007Z',
  });
});

test('the list narrows by everything that it can be asked for', async () => {
  const { call, store } = adminScene();
  const dave = { subject: subject('dave'), person: person('dave') };
  await store.recordDecisions([
    decisionRecord(1),
    decisionRecord(2, { ...dave, resource: billingApi }),
    decisionRecord(3, { effect: 'allow', reason: null }),
    decisionRecord(4, { reason: 'no_certificate', subject: null, person: null, resource: null }),
  ]);
  const list = async (who: string, query: string) =>
    (await call(who, 'GET', `/v1/decisions?${query}`)).body.items.map((one: { id: string }) =>
      Number(one.id.slice(-1)),
    );
  expect(await list('axel', '')).toEqual([4, 3, 2, 1]);
  expect(await list('alice', '')).toEqual([3, 1]);
  expect(await list('dave', '')).toEqual([2]);
  expect(await list('axel', 'mine=true')).toEqual([]);
  expect(await list('axel', 'effect=allow')).toEqual([3]);
  expect(await list('axel', 'reason=no_grant')).toEqual([2, 1]);
  expect(await list('axel', 'resource=billing-api')).toEqual([2]);
  expect(await list('axel', 'subject=spiffe://corp/dave')).toEqual([2]);
  expect(await list('axel', 'person=alice')).toEqual([3, 1]);
  expect(await list('axel', 'since=2026-01-01T00:00:00.003Z')).toEqual([4, 3]);
  expect((await call('axel', 'GET', '/v1/decisions?reason=because')).status).toBe(400);
});
