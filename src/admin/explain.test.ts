import { expect, test } from 'vitest';
import { certificates } from '../../test/openapi/tls.js';
import { adminPolicies, adminScene } from '../../test/openapi/scene.js';
import { createLock } from '../access/lock.js';
import { person, subject, T0 } from '../../test/builders.js';
import { seconds } from '../domain/time.js';

const certs = certificates();
const explainer = () => {
  const scene = adminScene({ identifier: certs.identifier });
  return { ...scene, explain: (who: string, body: object) => scene.call(who, 'POST', '/v1/explain', { body }) };
};
const onOrders = { subject: 'spiffe://corp/alice', resource: 'orders-db' };

test('it tells what a check would come to, and how to cure it', async () => {
  const { explain } = explainer();
  expect(await explain('alice', onOrders)).toMatchObject({
    status: 200,
    body: {
      effect: 'deny',
      reason: 'no_grant',
      text: 'there is no grant for this access; ask for one',
      subject: 'corp/spiffe://corp/alice',
      person: 'alice',
      actions: ['access'],
      policies: ['prod-data'],
      cure: 'portcullis request orders-db --reason "..."',
      endsAt: null,
      grants: [],
      locks: [],
      pending: [],
    },
  });
});

test('a request that waits and a grant that carries are shown', async () => {
  const { explain, ask, review } = explainer();
  const { id } = await ask('alice');
  expect((await explain('alice', onOrders)).body).toMatchObject({
    reason: 'pending_approval',
    requestId: id,
    pending: [{ id, actions: ['access'], lapsesAt: '2026-01-01T01:00:00.000Z' }],
  });
  const { grant } = await review('bob', id);
  expect((await explain('alice', onOrders)).body).toMatchObject({
    effect: 'allow',
    reason: null,
    grantId: grant!.id,
    requestId: id,
    endsAt: '2026-01-01T01:00:00.000Z',
    grants: [{ id: grant!.id, state: 'active' }],
  });
});

test('whoever a lock hits is told its message and not its reason', async () => {
  const { explain, needed, secretOf } = explainer();
  await secretOf('alice'); // Under a lock nobody makes a token.
  const target = { kind: 'person', person: person('alice') } as const;
  const lock = await createLock(
    needed,
    { kind: 'host' },
    { target, reason: 'suspected fraud', message: 'call us' },
    null,
  );
  const answer = await explain('alice', onOrders);
  expect(answer.body).toMatchObject({ reason: 'locked', lockId: lock.id, message: 'call us' });
  expect(answer.body.locks).toEqual([{ id: lock.id, target, message: 'call us', expiresAt: null }]);
  expect(JSON.stringify(answer.body)).not.toContain('fraud');
});

test('a certificate is read as a client would present it, and its end is known', async () => {
  const { explain, grantOf, clock } = explainer();
  await grantOf('alice');
  const end = (clock.read().wall + 60_000) as never;
  const { pem } = certs.client('alice', { validUntil: end });
  expect((await explain('alice', { certificate: pem, resource: 'orders-db' })).body).toMatchObject({
    effect: 'allow',
    endsAt: '2026-01-01T00:01:00.000Z',
  });
  clock.advance(60_000 as never);
  expect((await explain('axel', { certificate: pem, resource: 'orders-db' })).body.reason).toBe(
    'certificate_not_valid_now',
  );
});

test('no spelling of a certificate takes room from those that Envoy sends', async () => {
  const identify = () => {
    throw new Error('the spelling would be remembered');
  };
  const { call } = adminScene({ identifier: { ...certs.identifier, identify } });
  const body = { certificate: `${certs.client('alice').pem}\n\n`, resource: 'orders-db' };
  expect((await call('alice', 'POST', '/v1/explain', { body })).status).toBe(200);
});

test('what is wrong with a certificate is told to auditors, and to nobody who cannot show whose it is', async () => {
  const { explain } = explainer();
  const forged = { certificate: certs.forged('alice').pem, resource: 'orders-db' };
  expect((await explain('axel', forged)).body).toMatchObject({ reason: 'untrusted_issuer', subject: null });
  expect((await explain('alice', forged)).status).toBe(403);
  expect((await explain('axel', { ...forged, certificate: 'no certificate' })).body.reason).toBe('malformed');
});

test('about others only auditors and operators may ask', async () => {
  const { explain } = explainer();
  for (const [who, status] of [
    ['axel', 200],
    ['olga', 200],
    ['dave', 403],
    ['bob', 403],
    ['ada', 403],
  ] as const)
    expect([who, (await explain(who, onOrders)).status]).toEqual([who, status]);
  expect((await explain('alice', { ...onOrders, subject: subject('alice-laptop') })).status).toBe(200);
});

test('an HTTP request is judged by authority, method and path', async () => {
  const { explain, ask, review } = explainer();
  const wish = { resource: 'billing-api' as never, actions: ['read' as never] };
  await review('bob', (await ask('alice', wish)).id);
  const asked = { subject: onOrders.subject, authority: 'Billing.internal:443' };
  const get = await explain('alice', { ...asked, method: 'GET', path: '/invoices/7?x=1' });
  expect(get.body).toMatchObject({ effect: 'allow', resource: 'billing-api', actions: ['read'] });
  expect((await explain('alice', { ...asked, method: 'POST', path: '/admin/reindex' })).body).toMatchObject({
    reason: 'out_of_scope',
    actions: ['admin'],
  });
  expect((await explain('alice', { ...asked, method: 'GET', path: '/a//b' })).body.reason).toBe('malformed');
  expect((await explain('alice', { ...asked, method: 'GET', path: '/x', upgrade: true })).body.actions).toEqual([]);
  expect(
    (await explain('alice', { ...asked, authority: 'other.internal', method: 'GET', path: '/' })).body.reason,
  ).toBe('unknown_resource');
  expect(
    (await explain('alice', { ...asked, authority: 'billing.internal.', method: 'GET', path: '/' })).body.reason,
  ).toBe('unknown_resource');
  expect((await explain('alice', { ...onOrders, resource: 'nothing' })).body).toMatchObject({
    reason: 'unknown_resource',
    resource: null,
    cure: null,
  });
});

const unclear: { readonly name: string; readonly body: object }[] = [
  { name: 'neither certificate nor subject', body: { resource: 'orders-db' } },
  { name: 'both certificate and subject', body: { ...onOrders, certificate: 'x' } },
  { name: 'neither resource nor authority', body: { subject: onOrders.subject } },
  { name: 'both resource and authority', body: { ...onOrders, authority: 'billing.internal' } },
  { name: 'a method without a path', body: { ...onOrders, method: 'GET' } },
  { name: 'a path without a method', body: { ...onOrders, path: '/' } },
  { name: 'an upgrade without a method', body: { ...onOrders, upgrade: true } },
  { name: 'nothing for a resource with actions', body: { ...onOrders, resource: 'billing-api' } },
  { name: 'a path that is none', body: { ...onOrders, method: 'GET', path: 'x' } },
  { name: 'a method in lower case', body: { ...onOrders, method: 'get', path: '/' } },
];

const shared = explainer();

test.for(unclear)('a question with $name is refused', async ({ body }) => {
  const { status, body: problem } = await shared.explain('alice', body);
  expect([status, problem.code]).toEqual([400, 'invalid_request']);
});

test('asking changes nothing and is no decision', async () => {
  const { explain, entries, store } = explainer();
  await explain('alice', onOrders);
  const before = entries().length;
  await explain('alice', onOrders);
  expect(entries()).toHaveLength(before);
  expect(store.decisions({ limit: 1 }).items).toEqual([]);
});

test('it says whether a connection would wait, for how long and under which policy', async () => {
  const { explain, load } = explainer();
  expect((await explain('alice', onOrders)).body.hold).toBeNull();
  const [held] = [...adminPolicies().policies.values()].map((one) => ({ ...one, hold: seconds(30) }));
  load(adminPolicies({ policies: [held!] }));
  expect((await explain('alice', onOrders)).body).toMatchObject({
    reason: 'no_grant',
    hold: { policy: 'prod-data', longest: '30s' },
  });
});

test('a bound grant is judged by the key and the source that are told; what is not told is taken to fit', async () => {
  const { explain, ask, review, store } = explainer();
  const { pem } = certs.client('alice');
  const own = certs.identifier.identify(pem, T0);
  if (!('key' in own)) throw new Error('no key');
  const request = await ask('alice');
  const { grant } = await review('bob', request.id);
  const bind = (key: string) =>
    store.change(T0, (change) =>
      change.record(
        { kind: 'system' },
        { action: 'grant.created', grant: { ...grant!, binding: { key, sources: ['10.0.0.7/32'] } } },
      ),
    );
  await bind(own.key);
  const shown = { certificate: pem, resource: 'orders-db' };
  const answerTo = async (body: object) => {
    const { effect, reason } = (await explain('alice', body)).body;
    return reason ?? effect;
  };
  expect(await answerTo(onOrders)).toBe('allow');
  expect(await answerTo(shown)).toBe('allow');
  expect(await answerTo({ ...shown, source: '10.0.0.7' })).toBe('allow');
  expect(await answerTo({ ...shown, source: '10.0.0.8' })).toBe('bound_to_other_source');
  expect((await explain('alice', shown)).body.grants).toMatchObject([
    { binding: { key: own.key, sources: ['10.0.0.7/32'] } },
  ]);
  await bind('another');
  expect(await answerTo(shown)).toBe('bound_to_other_key');
  expect((await explain('alice', { ...shown, source: 'nowhere' })).status).toBe(400);
});
