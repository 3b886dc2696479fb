import { expect, test } from 'vitest';
import { adminPolicies, adminScene } from '../../test/openapi/scene.js';
import { group, policy } from '../../test/builders.js';
import { hours } from '../domain/time.js';

const twoApprovals = () =>
  adminPolicies({
    policies: [
      policy({
        who: { people: [], groups: [group('everybody')], subjects: [] },
        approval: { count: 2, from: { people: [], groups: [group('sre')] } },
      }),
    ],
  });

/** alice's request on a service, with its ETag. */
async function asked(policies = adminPolicies()) {
  const scene = adminScene({ policies });
  const { id, digest } = await scene.ask('alice');
  const path = `/v1/requests/${id}`;
  const { headers } = await scene.call('alice', 'GET', path);
  return { ...scene, path, digest, etag: String(headers['etag']) };
}

test('an answer that the caller has already is not sent again', async () => {
  const { call, path, etag } = await asked();
  expect(etag).toMatch(/^"1-[\w-]{22}"$/);
  for (const seen of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await call('alice', 'GET', path, { headers: { 'if-none-match': seen } });
    expect([seen, answer.status, answer.body, answer.headers['etag']]).toEqual([seen, 304, undefined, etag]);
    expect(answer.headers['content-length']).toBeUndefined();
  }
  for (const other of ['"1"', '"other"', etag.slice(1), ''])
    expect((await call('alice', 'GET', path, { headers: { 'if-none-match': other } })).status).toBe(200);
  const head = await call('alice', 'HEAD', path, { headers: { 'if-none-match': etag } });
  expect([head.status, head.body]).toEqual([304, undefined]);
});

test('a refusal is not mistaken for what the caller has', async () => {
  const { call, path } = await asked();
  expect((await call('dave', 'GET', path, { headers: { 'if-none-match': '*' } })).status).toBe(404);
});

test('the ETag changes with what is shown, also where the record stays the same', async () => {
  const { call, path, etag, digest, clock } = await asked(twoApprovals());
  await call('bob', 'POST', `${path}/reviews`, { body: { verdict: 'approve', digest } });
  const reviewed = await call('alice', 'GET', path, { headers: { 'if-none-match': etag } });
  expect(reviewed.status).toBe(200);
  expect(reviewed.headers['etag']).toMatch(/^"1-/);
  clock.advance(hours(1));
  const lapsed = await call('alice', 'GET', path, { headers: { 'if-none-match': String(reviewed.headers['etag']) } });
  expect([lapsed.status, lapsed.body.state]).toEqual([200, 'lapsed']);
});

test('a change is made only to the revision that the caller has seen', async () => {
  const { call, path, etag } = await asked();
  const withdraw = (match: string) => call('alice', 'POST', `${path}/withdraw`, { headers: { 'if-match': match } });
  for (const other of ['"2"', '"2-x"', '"1x"', '"abc"', '""', '"-1"', '"01"']) {
    const answer = await withdraw(other);
    expect([other, answer.status, answer.body.code]).toEqual([other, 412, 'precondition_failed']);
  }
  for (const unclear of ['1', `W/${etag}`, `${etag}, "2"`, '"1', 'null', '']) {
    const answer = await withdraw(unclear);
    expect([unclear, answer.status, answer.body.code]).toEqual([unclear, 400, 'invalid_request']);
  }
  const done = await withdraw(etag);
  expect(done.status).toBe(200);
  expect(done.headers['etag']).toMatch(/^"[2-9]-/);
  expect((await withdraw(etag)).status).toBe(412);
});

test('the ETag of an answer to a change is that of reading it again', async () => {
  const { call, ask } = adminScene();
  const path = `/v1/requests/${(await ask('alice')).id}`;
  const made = await call('alice', 'POST', `${path}/withdraw`);
  const read = await call('axel', 'GET', path);
  expect([read.body, read.headers['etag']]).toEqual([made.body, made.headers['etag']]);
});

test('the ETag of a new lock, whose answer says more than the lock, has the revision that If-Match wants', async () => {
  const { call } = adminScene();
  const body = { target: { kind: 'person', person: 'dave' }, reason: 'x' };
  const { headers } = await call('olga', 'POST', '/v1/locks', { body });
  const given = { 'if-match': String(headers['etag']) };
  expect((await call('olga', 'DELETE', String(headers['location']), { headers: given })).status).toBe(200);
});

test('a star matches whatever there is', async () => {
  const { call, path } = await asked();
  expect((await call('alice', 'POST', `${path}/withdraw`, { headers: { 'if-match': '*' } })).status).toBe(200);
});

test('lists have an ETag too', async () => {
  const { call, ask } = await asked();
  const { headers } = await call('alice', 'GET', '/v1/requests');
  const again = () => call('alice', 'GET', '/v1/requests', { headers: { 'if-none-match': String(headers['etag']) } });
  expect((await again()).status).toBe(304);
  await ask('alice', { justification: 'another' });
  expect((await again()).status).toBe(200);
});
