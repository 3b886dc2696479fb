import { readFileSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { revokeGrant } from '../../src/access/end-grant.js';
import { metadataOf } from '../check-requests.js';
import { PlayedGuard, until } from '../guard-service/played-guard.js';
import { guardScene } from '../guard-service/scene.js';
import { makeHome, startService, type Home, type TestService } from '../service.js';

const POLICIES = readFileSync(join(import.meta.dirname, '../scenarios/policy.yaml'), 'utf8');

function home(): Home {
  const made = makeHome(POLICIES);
  onTestFinished(() => made.remove());
  return made;
}

async function started(over: Parameters<typeof startService>[0] = { policies: POLICIES }): Promise<TestService> {
  const service = await startService(over);
  onTestFinished(async () => {
    await service.stop();
  });
  return service;
}

async function connected(service: TestService, id?: string): Promise<PlayedGuard> {
  const guard = new PlayedGuard({ address: service.running.addresses.guard, ...(id !== undefined && { id }) });
  onTestFinished(() => guard.close());
  return guard.connect();
}

/** alice asks, bob approves; gives the grant's id. */
async function grant(service: TestService): Promise<string> {
  const asked = await service.api('alice', 'POST', '/v1/requests', { resource: 'orders-db', duration: '1h' });
  const { id, digest } = asked.body;
  const reviewed = await service.api('bob', 'POST', `/v1/requests/${id}/reviews`, { verdict: 'approve', digest });
  return reviewed.body['grantId'] as string;
}

/** Envoy asks, and the guard tells what came of it. */
async function enter(service: TestService, guard: PlayedGuard): Promise<number | null> {
  const metadata = metadataOf(await service.check('alice', 'orders-db'));
  if (metadata['ends_at'] === undefined) return null;
  return guard.enter(String(metadata['grant_id']), {
    asOf: Number(metadata['as_of']),
    decisionId: String(metadata['decision_id']),
    remainingMs: Number(metadata['remaining_ms']),
  });
}

const sessions = async (service: TestService, query = '') =>
  (await service.api('host', 'GET', `/v1/sessions${query}`)).body['items'] as {
    id: string;
    state: string;
    decisionId: string;
    end: { reason: string; cutAfterMs: number | null } | null;
  }[];

async function metrics(service: TestService): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${service.running.addresses.metrics}/metrics`, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

test('a revoke that is answered with 200 has cut what it ended, and says how long that took', async () => {
  const service = await started();
  const guard = await connected(service);
  const id = await grant(service);
  const number = (await enter(service, guard))!;
  await until(() => guard.sessions.size === 1, 'the session');
  await expect.poll(() => sessions(service)).toHaveLength(1);
  const revoked = await service.api('host', 'POST', `/v1/grants/${id}/revoke`, {});
  expect([revoked.status, guard.ended.get(number)]).toEqual([200, 'CUT']);
  await expect.poll(async () => (await sessions(service))[0]!.state).toBe('ended');
  const [session] = await sessions(service);
  expect(session).toMatchObject({ end: { reason: 'revoked', cutAfterMs: expect.any(Number) } });
  expect(session!.end!.cutAfterMs).toBeLessThan(50);
  const text = await metrics(service);
  expect(text).toMatch(/^portcullis_session_cut_seconds_count 1$/m);
  expect(text).toMatch(/^portcullis_guard_command_seconds_count 1$/m);
  expect(text).toMatch(/^portcullis_sessions_ended_total\{reason="revoked"\} 1$/m);
  expect(text).toMatch(/^portcullis_guards 1$/m);
});

test('a guard that does not answer makes it 202 after 200 ms, with its name and when its sessions end', async () => {
  const service = await started();
  const guard = await connected(service);
  const id = await grant(service);
  guard.isDeaf = true;
  const begun = performance.now();
  const revoked = await service.api('host', 'POST', `/v1/grants/${id}/revoke`, {});
  expect(performance.now() - begun).toBeGreaterThan(190);
  expect(revoked).toMatchObject({ status: 202, body: { unapplied: [{ guard: guard.id, node: 'envoy-1' }] } });
  const [late] = revoked.body['unapplied'] as { endsAt: string }[];
  expect(Math.abs(Date.parse(late!.endsAt) - Date.now() - 15_000)).toBeLessThan(1_000);
  const lock = { target: { kind: 'person', person: 'dave' }, reason: 'x' };
  const before = performance.now();
  expect((await service.api('host', 'POST', '/v1/locks?wait=false', lock)).status).toBe(202);
  expect(performance.now() - before).toBeLessThan(190);
});

test('the socket of the guards is for its group and nobody else', async () => {
  const service = await started();
  expect(statSync(service.file('run/guard.sock')).mode & 0o777).toBe(0o660);
});

test('after a restart a revoke is not applied everywhere until the guard is back, and its sessions keep their ids', async () => {
  const made = home();
  const first = await startService({ home: made });
  const guard = await connected(first);
  const id = await grant(first);
  await enter(first, guard);
  await expect.poll(() => sessions(first)).toHaveLength(1);
  const [before] = await sessions(first);
  await first.stop();
  const second = await started({ home: made });
  const again = await second.api('host', 'POST', '/v1/locks', {
    target: { kind: 'person', person: 'dave' },
    reason: 'x',
  });
  expect(again).toMatchObject({ status: 202, body: { unapplied: [{ guard: guard.id, node: 'envoy-1' }] } });
  // As Envoy does, until the socket is there again.
  do await guard.connect();
  while (guard.over !== null);
  await expect.poll(() => sessions(second)).toMatchObject([{ id: before!.id, state: 'live' }]);
  expect((await second.api('host', 'POST', `/v1/grants/${id}/revoke`, {})).status).toBe(200);
  expect(guard.sessions.size).toBe(0);
});

test('no session survives, of a thousand whose revoke fell between their allow and the word of their guard', async () => {
  const service = await started();
  const guard = await connected(service);
  for (let round = 0; round < 60; round++) {
    const id = await grant(service);
    const revoked = service.api('host', 'POST', `/v1/grants/${id}/revoke?wait=false`, {});
    const entering: Promise<unknown>[] = [];
    for (let n = 0; n < 17; n++) {
      entering.push(enter(service, guard));
      await new Promise((resolve) => setTimeout(resolve, n % 3));
    }
    await Promise.all([revoked, ...entering]);
  }
  await until(() => guard.sessions.size === 0, 'the last cuts');
  await expect.poll(async () => sessions(service, '?state=live')).toEqual([]);
});

test('ten thousand sessions that come and go leave nothing behind in memory, and a revoke among them waits for none', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const service = await started();
  const guard = await connected(service);
  const id = await grant(service);
  const cycles = async (count: number) => {
    for (let n = 0; n < count; n++) {
      guard.leave(guard.enter(id)!);
      if (n % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    guard.heard.length = 0;
    guard.ended.clear();
  };
  const used = async () => {
    await expect
      .poll(async () => (await metrics(service)).includes('portcullis_sessions 0'), { timeout: 20_000 })
      .toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    collect();
    return process.memoryUsage().heapUsed;
  };
  await cycles(3_000);
  const before = await used();
  const going = cycles(10_000);
  const begun = performance.now();
  const lock = await service.api('host', 'POST', '/v1/locks', {
    target: { kind: 'person', person: 'dave' },
    reason: 'x',
  });
  expect(lock.status).toBe(201);
  expect(performance.now() - begun).toBeLessThan(1_000);
  await going;
  expect((await used()) - before).toBeLessThan(8 * 1024 * 1024);
}, 60_000);

test('a burst of ten thousand sessions holds nothing up, and all of them are cut when their grant ends', async () => {
  const scene = await guardScene();
  const { id } = await scene.grant();
  const guard = await scene.connected();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  for (let n = 0; n < 10_000; n++) {
    guard.enter(id);
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => scene.live().length === 10_000, 'all sessions', 15_000);
  delay.disable();
  // The played guard, which makes them, is in this process too.
  expect(delay.max / 1e6).toBeLessThan(250);
  await revokeGrant(scene.needed, { kind: 'host' }, { id }, null);
  await until(() => guard.sessions.size === 0, 'all cuts', 15_000);
  await until(() => scene.side.size.sessions === 0, 'all ends', 15_000);
  expect(scene.ended()).toHaveLength(1_000);
});
