import { expect, test } from 'vitest';
import { at, bob, person } from '../../test/builders.js';
import { session, sessionId, sessionStanding } from '../../test/guard-service/played-sessions.js';
import { adminScene } from '../../test/openapi/scene.js';

/** alice has two sessions, of which one has ended, and bob has one. */
function scene() {
  const made = adminScene();
  const end = { reason: 'revoked', at: at(50), cutAfter: 7, upstream: null, bytesReceived: 1, bytesSent: 2 } as const;
  made.sessions.standings.push(
    sessionStanding(1),
    sessionStanding(2, { session: session(2), end }),
    sessionStanding(3, { session: session(3, { subject: bob, person: person('bob'), protocol: 'tcp' }) }),
  );
  return made;
}

const idsOf = (body: { items: { id: string }[] }) => body.items.map(({ id }) => Number(id.slice(4)));

test('a session is shown with everything that its guard has told', async () => {
  const { call } = scene();
  expect((await call('alice', 'GET', `/v1/sessions/${sessionId(1)}`)).body).toEqual({
    id: sessionId(1),
    grantId: expect.stringMatching(/^gr_/),
    decisionId: expect.stringMatching(/^dec_/),
    policy: 'prod-data',
    subject: 'corp/spiffe://corp/alice',
    person: 'alice',
    resource: 'orders-db',
    protocol: 'gate',
    downstream: '192.0.2.7:4711',
    upstream: '10.0.0.7:5432',
    startedAt: '2026-01-01T00:00:00.000Z',
    endsAt: '2026-01-01T01:00:00.000Z',
    bytesReceived: 1_234,
    bytesSent: 5_678_901,
    guard: '0'.repeat(31) + '1',
    node: 'envoy-1',
    state: 'live',
    end: null,
    cutBy: null,
  });
  const { body } = await call('alice', 'GET', `/v1/sessions/${sessionId(2)}`);
  expect([body.state, body.end]).toEqual([
    'ended',
    { at: '2026-01-01T00:00:00.050Z', reason: 'revoked', cutAfterMs: 7 },
  ]);
});

test.for([
  ['alice', '', [2, 1]],
  ['bob', '', [3]],
  ['dave', '', []],
  ['olga', '', [3, 2, 1]],
  ['axel', '', [3, 2, 1]],
  ['olga', '?mine=true', []],
  ['alice', '?state=live', [1]],
  ['alice', '?state=ended', [2]],
  ['olga', '?protocol=tcp', [3]],
  ['olga', '?person=bob', [3]],
  ['olga', '?subject=spiffe://corp/alice', [2, 1]],
  ['olga', '?resource=billing-api', []],
  ['olga', '?grant=gr_00000000000000000000000000', []],
] as const)('%s sees of /v1/sessions%s: %j', async ([who, query, ids]) => {
  expect(idsOf((await scene().call(who, 'GET', `/v1/sessions${query}`)).body)).toEqual(ids);
});

test('sessions come in pages, newest first, however many there are', async () => {
  const { call, sessions } = adminScene();
  for (let n = 1; n <= 1_000; n++) sessions.standings.push(sessionStanding(n));
  const seen: number[] = [];
  let next: string | null = '';
  while (next !== null) {
    const { body } = await call('alice', 'GET', `/v1/sessions?limit=300${next && `&cursor=${next}`}`);
    seen.push(...idsOf(body));
    next = body.next;
  }
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => 1_000 - i));
});

test('its own person and operators may cut a session; who may not see it does not find it', async () => {
  const statusOf = async (who: string) => (await scene().call(who, 'POST', `/v1/sessions/${sessionId(1)}/cut`)).status;
  expect(await Promise.all(['alice', 'olga', 'axel', 'bob'].map(statusOf))).toEqual([200, 200, 403, 404]);
});

test('a cut is written down with who wanted it and why; of what has ended nothing is', async () => {
  const { call, entries } = scene();
  await call('olga', 'POST', `/v1/sessions/${sessionId(1)}/cut`, { body: { reason: 'stuck' } });
  await call('olga', 'POST', `/v1/sessions/${sessionId(2)}/cut`, { body: { reason: 'stuck' } });
  expect(entries().filter(({ transition }) => transition.action === 'session.cut')).toMatchObject([
    { actor: { person: 'olga' }, transition: { session: { id: sessionId(1) }, why: 'stuck' } },
  ]);
});

test('an ending waits for the guards: 202 names those that have not applied it', async () => {
  const { call, sessions, grantOf } = scene();
  const { grant } = await grantOf();
  const late = { guard: '0'.repeat(31) + '1', node: 'envoy-1', endsAt: '2026-01-01T00:00:15.000Z' };
  sessions.isLate();
  const lock = { target: { kind: 'person', person: 'dave' }, reason: 'x' };
  for (const [path, body] of [
    [`/v1/grants/${grant.id}/revoke`, {}],
    ['/v1/locks', lock],
    [`/v1/sessions/${sessionId(1)}/cut`, {}],
  ] as const)
    expect(await call('olga', 'POST', path, { body })).toMatchObject({ status: 202, body: { unapplied: [late] } });
  sessions.outstanding = [];
  const again = await call('olga', 'POST', `/v1/grants/${grant.id}/revoke`, { body: {} });
  expect([again.status, again.body.unapplied]).toEqual([200, undefined]);
  expect(sessions.waits).toEqual([200, 200, 200, 200]);
  await call('olga', 'POST', `/v1/locks?wait=false`, { body: lock });
  expect(sessions.waits.at(-1)).toBe(0);
});
