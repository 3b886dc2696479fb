import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { revokeGrant } from '../../src/access/end-grant.js';
import { createLock } from '../../src/access/lock.js';
import { checkedClock, seconds, type Instant } from '../../src/domain/time.js';
import type { Grant } from '../../src/domain/grant.js';
import { person } from '../builders.js';
import { guardScene } from '../guard-service/scene.js';
import { openHttp2, stream2, tcp, webSocket, type Live } from '../guard/real/clients.js';
import { startScene, type Scene } from '../guard/real/scene.js';
import { envoysForTests, until } from './envoy.js';

const HOST = { kind: 'host' } as const;
const { envoys, missing } = await envoysForTests();

// The guard as it is, in a real Envoy, and the service's side as it is. ext_authz is played: it lets everybody in under the grant.
describe.skipIf(missing !== '').each(envoys)('the guard in Envoy $version and the service', (binary) => {
  let service: Awaited<ReturnType<typeof guardScene>>;
  let scene: Scene;

  beforeAll(async () => {
    const clock = Object.assign(
      checkedClock(Date.now, () => performance.now(), 0 as Instant),
      {
        advance: () => undefined,
        distrust: () => undefined,
      },
    );
    service = await guardScene({ clock, keep: true });
    service.side.start();
    const pipe = service.address.slice('unix:'.length);
    scene = await startScene(binary, {
      adapt: (bootstrap, folder) =>
        JSON.parse(JSON.stringify(bootstrap), (_key, value: unknown) => {
          const cluster = value as { name?: string; load_assignment?: unknown };
          if (cluster?.name !== 'portcullis-guard' || !cluster.load_assignment) return value;
          return JSON.parse(JSON.stringify(value).replaceAll(`${folder}/service.sock`, pipe)) as object;
        }) as object,
    });
    await until(() => service.side.size.guards > 0, 'a guard');
  });
  afterAll(async () => {
    await scene.stop();
    await service.stop();
  });

  /** Lets everybody in under a new grant from now on. */
  async function letIn(): Promise<Grant> {
    const grant = await service.grant();
    const asOf = service.sequence();
    scene.service.answer = () => ({
      grant_id: grant.id,
      decision_id: 'dec_00000000000000000000000001',
      ends_at: grant.expiresAt,
      remaining_ms: grant.expiresAt - Date.now(),
      as_of: asOf,
    });
    return grant;
  }

  const kinds: readonly (readonly [string, () => Live])[] = [
    ['gate', () => tcp(scene.ports.gate)],
    ['upgrade', () => webSocket(scene.ports.http, 'x')],
    ['http', () => stream2(openHttp2(scene.ports.http), 'x')],
  ];

  /** A session through which something has come. */
  async function session(open: () => Live): Promise<Live> {
    const live = open();
    await until(() => live.received() !== '' || live.endedAt() !== undefined, 'the first bytes');
    await until(() => service.live().length === 1, 'the session');
    return live;
  }

  test.for(kinds)('a revoke cuts a session of kind %s, and waits until that has happened', async ([kind, open]) => {
    const grant = await letIn();
    const live = await session(open);
    expect(service.live()[0]!.session).toMatchObject({ protocol: kind, grantId: grant.id });
    const begun = performance.now();
    await revokeGrant(service.needed, HOST, { id: grant.id }, null);
    expect(await service.side.settle(200)).toEqual([]);
    await until(() => live.endedAt() !== undefined, 'the end of the connection');
    expect(live.endedAt()! - begun).toBeLessThan(150);
    await until(() => service.live().length === 0, 'the end of the session');
    const end = service
      .ended()
      .toSorted((a, b) => a.end!.at - b.end!.at)
      .at(-1)!.end!;
    expect(end).toMatchObject({ reason: 'revoked', cutAfter: expect.any(Number) });
  });

  test('a lock cuts it, an overlapping grant keeps it', async () => {
    const first = await letIn();
    const live = await session(kinds[0]![1]);
    const second = await service.grant({ duration: seconds(7_200) });
    await revokeGrant(service.needed, HOST, { id: first.id }, null);
    expect(await service.side.settle(200)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([live.endedAt(), service.live()[0]!.grantId]).toEqual([undefined, second.id]);
    const lock = { target: { kind: 'person', person: person('alice') }, reason: 'incident' } as const;
    await createLock(service.needed, HOST, lock, null);
    await until(() => live.endedAt() !== undefined, 'the end of the connection');
    await until(() => service.live().length === 0, 'the end of the session');
    expect(service.ended().map(({ end }) => end!.reason)).toContain('locked');
    expect(service.alarms).toEqual([]);
  });
});
