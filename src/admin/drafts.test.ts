import { expect, test } from 'vitest';
import { action, decisionRecord, draftId, group, policy, subject } from '../../test/builders.js';
import { adminPolicies, adminScene } from '../../test/openapi/scene.js';

/** A scene whose policy wants drafts, and refusals of alice's. */
function scene(justification: 'required' | 'optional' = 'optional') {
  const who = { people: [], groups: [group('everybody')], subjects: [] };
  const made = adminScene({ policies: adminPolicies({ policies: [policy({ who, justification, onDeny: 'draft' })] }) });
  let n = 0;
  const refuse = (over = {}) =>
    made.drafts.note(decisionRecord(++n, { at: made.clock.read().wall, source: '10.0.0.1:5', ...over }))!.id;
  return { ...made, refuse };
}

test('a draft is shown with what was tried, what a request of it would ask for, and how long it stays', async () => {
  const { call, refuse } = scene();
  const id = refuse({ resource: 'billing-api', actions: [action('read')], request: 'GET /invoices/7' });
  const { status, body } = await call('alice', 'GET', `/v1/drafts/${id}`);
  expect(status).toBe(200);
  expect(body).toEqual({
    id,
    subject: 'corp/spiffe://corp/alice',
    person: 'alice',
    resource: 'billing-api',
    action: 'read',
    policy: 'prod-data',
    justification: 'optional',
    reason: 'no_grant',
    request: 'GET /invoices/7',
    source: '10.0.0.1:5',
    decisionId: decisionRecord(1).id,
    count: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    lastAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-08T00:00:00.000Z',
  });
  expect((await call('alice', 'GET', '/v1/drafts')).body).toEqual({ items: [body], next: null });
});

test('submitting makes the request, with what is added; the same call again gives the same one', async () => {
  const { call, refuse } = scene('required');
  const id = refuse();
  const submit = (body?: object, headers = {}) => call('alice', 'POST', `/v1/drafts/${id}/submit`, { body, headers });
  expect((await submit()).body).toMatchObject({
    code: 'justification_required',
    detail: expect.stringContaining('requires a') as string,
  });
  const key = { 'idempotency-key': 'k' };
  const made = await submit({ duration: '30m', justification: 'invoice 7' }, key);
  expect(made.status).toBe(201);
  expect(made.headers['location']).toBe(`/v1/requests/${made.body.id}`);
  expect(made.body).toMatchObject({ resource: 'orders-db', actions: ['access'], duration: '30m', state: 'pending' });
  expect(await submit({ duration: '30m', justification: 'invoice 7' }, key)).toMatchObject({ body: made.body });
  expect((await submit({ justification: 'x' })).body).toMatchObject({ code: 'not_found' });
  expect((await call('alice', 'GET', '/v1/drafts')).body.items).toEqual([]);
});

test('what else a request could say cannot be said: the draft says it', async () => {
  const { call, refuse } = scene();
  const id = refuse();
  for (const body of [{ resource: 'billing-api' }, { policy: 'x' }, { actions: ['read'] }, { subject: 'x' }])
    expect((await call('alice', 'POST', `/v1/drafts/${id}/submit`, { body })).status).toBe(400);
});

test('one that is dismissed is gone, also for whoever repeats the call under its key', async () => {
  const { call, refuse } = scene();
  const id = refuse();
  const key = { 'idempotency-key': 'k' };
  const gone = await call('alice', 'DELETE', `/v1/drafts/${id}`, { headers: key });
  expect([gone.status, gone.body.id]).toEqual([200, id]);
  expect((await call('alice', 'DELETE', `/v1/drafts/${id}`, { headers: key })).body).toEqual(gone.body);
  expect((await call('alice', 'DELETE', `/v1/drafts/${id}`)).status).toBe(404);
});

test('what is no id of a draft is not found', async () => {
  const { call } = scene();
  for (const other of [draftId(77), 'req_00000000000000000000000001', 'x'])
    for (const [method, path] of [
      ['GET', other],
      ['DELETE', other],
      ['POST', `${other}/submit`],
    ] as const)
      expect((await call('alice', method, `/v1/drafts/${path}`)).body).toMatchObject({ code: 'not_found' });
});

test('a list comes in pages and with filters, and its cursor belongs to it', async () => {
  const { call, refuse, clock } = scene();
  for (const over of [
    {},
    { subject: subject('alice-laptop') },
    { resource: 'billing-api', actions: [action('read')] },
  ]) {
    refuse(over);
    clock.advance(1 as never);
  }
  const first = await call('alice', 'GET', '/v1/drafts?limit=2');
  expect(first.body.items).toMatchObject([{ resource: 'billing-api' }, { subject: 'corp/spiffe://corp/alice-laptop' }]);
  const second = await call('alice', 'GET', `/v1/drafts?limit=2&cursor=${first.body.next}`);
  expect(second.body).toMatchObject({ items: [{ subject: 'corp/spiffe://corp/alice' }], next: null });
  const shown = async (query: string) => (await call('axel', 'GET', `/v1/drafts?${query}`)).body.items.length as number;
  expect([
    await shown(''),
    await shown('resource=billing-api'),
    await shown('subject=spiffe://corp/alice-laptop'),
  ]).toEqual([3, 1, 1]);
  expect([await shown('mine=true'), await shown('limit=1')]).toEqual([0, 1]);
  expect((await call('alice', 'GET', `/v1/drafts?resource=orders-db&cursor=${first.body.next}`)).status).toBe(400);
});

test('an explanation names the draft and the command that submits it, while it can be submitted', async () => {
  const { call, refuse, load } = scene('required');
  const explain = async () =>
    (await call('alice', 'POST', '/v1/explain', { body: { subject: 'spiffe://corp/alice', resource: 'orders-db' } }))
      .body;
  expect(await explain()).toMatchObject({ draft: null, cure: 'portcullis request orders-db --reason "..."' });
  const id = refuse();
  expect(await explain()).toMatchObject({ draft: id, cure: `portcullis request --draft ${id} --reason "..."` });
  load(
    adminPolicies({
      policies: [policy({ name: 'other' as never, who: { people: [], groups: [group('everybody')], subjects: [] } })],
    }),
  );
  expect(await explain()).toMatchObject({ draft: null, cure: 'portcullis request orders-db --reason "..."' });
});
