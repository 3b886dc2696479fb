import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceName } from '../../src/domain/names.js';
import { ordersDb, resource } from '../builders.js';
import { openTcp, type Peer, type RawConnection } from './clients.js';
import { envoysForTests, freePorts, until } from './envoy.js';
import { startScene, type Scene } from './envoy-scene.js';
import { floodUpstream, tcpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const floodDb = 'flood-db' as ResourceName;

/** The longest that the bystander may wait for its own words, on a machine that is busy with the attack itself. */
const MAX_WAIT_MS = 2_000;

describe.skipIf(missing !== '')(`a crowd before the gate of a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene;
    let echo: TcpUpstream;
    let flood: TcpUpstream;
    let ports: Record<'http' | 'orders' | 'flood', number>;

    beforeAll(async () => {
      [echo, flood] = [await tcpUpstream(), await floodUpstream()];
      ports = await freePorts('http', 'orders', 'flood');
      const tcp = (port: number, to: number) => ({ port, gate: true, sni: null, upstream: `127.0.0.1:${to}` });
      const resources = [
        resource({ tcp: tcp(ports.orders, echo.port) }),
        resource({ name: floodDb, tcp: tcp(ports.flood, flood.port) }),
      ];
      scene = await startScene(binary, resources, ports.http);
      for (const name of [ordersDb, floodDb]) await scene.service.grant({ resource: name });
    });
    afterAll(async () => {
      await scene?.stop();
      await Promise.all([echo?.close(), flood?.close()]);
    });

    test.for([
      ['wait for their refusal', (connection: RawConnection) => connection.closed],
      ['hang up as soon as they are asked about', hangUp],
    ] as const)('2,000 clients without a grant that %s leave the session of a bystander alone', async ([, leave]) => {
      const before = echo.accepts();
      const bystander = await watch(scene.peer(ports.orders));
      const denied = scene.peer(ports.orders, 'mallory');
      const received = await inTurns(2_000, 50, async () => {
        const connection = openTcp(denied);
        await leave(connection);
        return connection.received();
      });
      expect([received.length, received.join('')]).toEqual([2_000, '']);
      expect(await bystander.verdict()).toEqual({ closed: false, slow: 0, heard: true });
      // The bystander's own, and nobody else's.
      expect(echo.accepts()).toBe(before + 1);
    });

    test('300 clients that stop reading leave the session of a bystander alone, and Envoy small', async () => {
      const bystander = await watch(scene.peer(ports.orders));
      const greedy = scene.peer(ports.flood);
      const stalled: RawConnection[] = [];
      // Clients, service and upstream share one thread here, so a check may come too late: a deny, and another try.
      while (stalled.length < 300) {
        const some = await inTurns(10, 10, () => stall(greedy));
        stalled.push(...some.filter((one) => one.received() !== ''));
      }
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(stalled.filter((one) => one.isClosed())).toEqual([]);
      expect(flood.open()).toBeGreaterThanOrEqual(300);
      expect(await bystander.verdict()).toEqual({ closed: false, slow: 0, heard: true });
      const allocated = Number(JSON.parse(await scene.envoy.ask('/memory')).allocated);
      expect(allocated).toBeGreaterThan(10_000_000);
      expect(allocated).toBeLessThan(500_000_000);
      for (const { socket } of stalled) socket.destroy();
    });
  });
});

/** A session that says something every 20 ms and measures how long it takes to hear it. */
async function watch(peer: Peer) {
  const connection = openTcp(peer);
  await until(() => connection.received() !== '', 'the banner');
  let sent = connection.received();
  let slow = 0;
  let waitingSince: number | null = null;
  const timer = setInterval(() => {
    const all = connection.received() === sent;
    if (waitingSince !== null && Date.now() - waitingSince > MAX_WAIT_MS) slow += 1;
    if (!all) return;
    waitingSince = Date.now();
    connection.socket.write('.');
    sent += '.';
  }, 20);
  const begun = sent.length;
  return {
    async verdict() {
      clearInterval(timer);
      const closed = connection.isClosed();
      if (!closed) await until(() => connection.received() === sent, 'the last echo');
      connection.socket.destroy();
      return { closed, slow, heard: connection.received().length > begun + 10 };
    },
  };
}

/** The handshake done, the question under way. */
async function hangUp({ socket, closed }: RawConnection): Promise<void> {
  socket.once('secureConnect', () => setImmediate(() => socket.destroy()));
  await closed;
}

/** A client that takes a first piece and then reads no more. */
async function stall(peer: Peer): Promise<RawConnection> {
  const connection = openTcp(peer);
  connection.socket.once('data', () => connection.socket.pause());
  await until(() => connection.received() !== '' || connection.isClosed(), 'the flood');
  return connection;
}

/** `count` times `act`, at most `atOnce` of them together. */
async function inTurns<T>(count: number, atOnce: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      results.push(await act());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
