import { expect, test } from 'vitest';
import { decisionRecord } from '../../test/builders.js';
import { adminScene, inject } from '../../test/openapi/scene.js';

/** A service with seven of each thing that is listed. */
async function full() {
  const scene = adminScene();
  for (let i = 0; i < 7; i++) {
    await scene.grantOf('alice');
    await scene.call('olga', 'POST', '/v1/locks', {
      body: { target: { kind: 'person', person: 'nobody' }, reason: `${i}`, unknownOk: true },
    });
    await scene.serviceToken(`service-${i}`);
    scene.clock.advance(1 as never);
  }
  await scene.store.recordDecisions(Array.from({ length: 7 }, (_, i) => decisionRecord(i)));
  return scene;
}

const lists = [
  { who: 'alice', path: '/v1/requests', count: 7 },
  { who: 'alice', path: '/v1/grants', count: 7 },
  { who: 'olga', path: '/v1/locks', count: 7 },
  { who: 'alice', path: '/v1/decisions', count: 7 },
  { who: 'ada', path: '/v1/tokens', count: 10 }, // And those of alice, olga and ada.
  { who: 'alice', path: '/v1/policies', count: 1 },
  { who: 'alice', path: '/v1/resources', count: 2 },
];

test.for(lists)('$path comes in pages that are together the whole list', async ({ who, path, count }) => {
  const { call } = await full();
  for (const name of ['alice', 'olga', 'ada']) await call(name, 'GET', '/v1/whoami');
  const whole = (await call(who, 'GET', `${path}?limit=500`)).body;
  expect(whole.items).toHaveLength(count);
  expect(whole.next).toBeNull();
  const seen: unknown[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { status, body } = await call(
      who,
      'GET',
      `${path}?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    expect(status).toBe(200);
    expect(body.items.length).toBeLessThanOrEqual(3);
    seen.push(...body.items);
    cursor = body.next;
  }
  expect(seen).toEqual(whole.items);
});

test('no list gives more than 500 at once', async () => {
  const { app } = adminScene({ door: { kind: 'socket' } });
  for (const { path } of lists) {
    expect([path, (await inject(app, 'GET', `${path}?limit=500`)).status]).toEqual([path, 200]);
    expect([path, (await inject(app, 'GET', `${path}?limit=501`)).status]).toEqual([path, 400]);
  }
});

test('a cursor is good for its own listing with its own filters, and for any limit', async () => {
  const { call } = await full();
  const { next } = (await call('alice', 'GET', '/v1/requests?limit=2&resource=orders-db')).body;
  const page = (path: string) => call('alice', 'GET', `${path}&cursor=${encodeURIComponent(next)}`);
  expect((await page('/v1/requests?limit=5&resource=orders-db')).status).toBe(200);
  for (const other of [
    '/v1/requests?limit=2',
    '/v1/requests?limit=2&resource=billing-api',
    '/v1/grants?resource=orders-db',
  ])
    expect([other, (await page(other)).body.code]).toEqual([other, 'invalid_request']);
});

test('a cursor that was changed is refused, wherever it was changed', async () => {
  const { call } = await full();
  const { next } = (await call('alice', 'GET', '/v1/requests?limit=2')).body;
  for (let i = 0; i < next.length; i++) {
    const changed = next.slice(0, i) + (next[i] === 'A' ? 'B' : 'A') + next.slice(i + 1);
    const answer = await call('alice', 'GET', `/v1/requests?cursor=${encodeURIComponent(changed)}`);
    expect([changed, answer.status]).toEqual([changed, 400]);
  }
  expect((await call('alice', 'GET', `/v1/requests?cursor=${encodeURIComponent(`${next}=`)}`)).status).toBe(400);
});

test('a cursor gives no right: another actor sees its own things behind it', async () => {
  const scene = await full();
  const { next } = (await scene.call('alice', 'GET', '/v1/requests?limit=2')).body;
  const answer = await scene.call('dave', 'GET', `/v1/requests?cursor=${encodeURIComponent(next)}`);
  expect(answer.body.items).toEqual([]);
});

test('a page begins right when what the one before ended with has gone', async () => {
  const { app } = adminScene({ door: { kind: 'socket' } });
  const lock = async (reason: string) =>
    (await inject(app, 'POST', '/v1/locks', { body: { target: { kind: 'person', person: 'dave' }, reason } })).body
      .id as string;
  const ids = [await lock('1'), await lock('2'), await lock('3')].toReversed();
  const first = await inject(app, 'GET', '/v1/locks?limit=2');
  await inject(app, 'DELETE', `/v1/locks/${ids[1]}`);
  const second = await inject(app, 'GET', `/v1/locks?cursor=${encodeURIComponent(first.body.next)}`);
  expect(second.body.items.map((one: { id: string }) => one.id)).toEqual([ids[2]]);
});
