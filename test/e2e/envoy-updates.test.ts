import { writeFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceName } from '../../src/domain/names.js';
import type { Resource } from '../../src/domain/resource.js';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { billingApi, ordersDb, policySet, resource } from '../builders.js';
import { guardOfThis } from '../guard/wasm.js';
import { http1, openTcp, openWebSocket, rawStream, type Peer, type RawConnection } from './clients.js';
import { envoysForTests, freePorts, until } from './envoy.js';
import { startScene, type Scene } from './envoy-scene.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const named = (name: string) => name as ResourceName;

describe.skipIf(missing !== '')(`resources come and go under a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene;
    let web: HttpUpstream;
    let db: TcpUpstream;
    let ports: Record<'http' | 'orders' | 'cache' | 'new' | 'newPlain', number>;
    let first: readonly Resource[];
    let live: Record<'stream' | 'socket' | 'gate' | 'plain', RawConnection>;

    const http = (name: string) => ({ authority: [`${name}.internal`], upstream: `127.0.0.1:${web.port}` });
    const tcp = (port: number, gate: boolean) => ({ port, gate, sni: null, upstream: `127.0.0.1:${db.port}` });
    const change = (resources: readonly Resource[]) => {
      scene.service.load(policySet({ resources }));
      return writeEnvoyConfig(scene.options.folder, generateEnvoyConfig(resources, scene.options), guardOfThis());
    };
    const more = () => [
      ...first,
      resource({ name: named('aaa-api'), http: http('aaa') }),
      resource({ name: named('new-db'), tcp: tcp(ports.new, true) }),
      resource({ name: named('new-plain-db'), tcp: tcp(ports.newPlain, false) }),
    ];

    beforeAll(async () => {
      [web, db] = [await httpUpstream(), await tcpUpstream()];
      ports = await freePorts('http', 'orders', 'cache', 'new', 'newPlain');
      first = [
        resource({ name: billingApi, http: http('billing') }),
        resource({ tcp: tcp(ports.orders, true) }),
        resource({ name: named('cache-db'), tcp: tcp(ports.cache, false) }),
      ];
      scene = await startScene(binary, first, ports.http);
      for (const { name } of first) await scene.service.grant({ resource: name });
      live = {
        stream: rawStream(scene.peer(ports.http), 'GET /stream HTTP/1.1\r\nHost: billing.internal\r\n\r\n'),
        socket: openWebSocket(scene.peer(ports.http), 'billing.internal'),
        gate: openTcp(scene.peer(ports.orders)),
        plain: openTcp(scene.peer(ports.cache)),
      };
      live.plain.socket.write('hello');
      for (const [name, one] of Object.entries(live)) await until(() => /tick|101|220/.test(one.received()), name);
    });
    afterAll(async () => {
      for (const { socket } of Object.values(live ?? {})) socket.destroy();
      await scene?.stop();
      await Promise.all([web?.close(), db?.close()]);
    });

    /** Bytes still go both ways on every one of them. */
    async function expectAlive(): Promise<void> {
      const word = `<${Math.random()}>`;
      const ticks = live.stream.received().length;
      for (const one of [live.socket, live.gate, live.plain]) one.socket.write(word);
      for (const [name, one] of Object.entries({ socket: live.socket, gate: live.gate, plain: live.plain }))
        await until(() => one.received().endsWith(word), `the echo on ${name}`);
      await until(() => live.stream.received().length > ticks, 'the stream');
      expect(Object.values(live).map((one) => one.isClosed())).toEqual([false, false, false, false]);
    }

    test('a resource that is added works within seconds, and every session goes on', async () => {
      await expectAlive();
      expect(await change(more())).toEqual(['cds.yaml', 'rds.yaml', 'rds-gate.yaml', 'lds.yaml']);
      for (const name of ['aaa-api', 'new-db', 'new-plain-db']) await scene.service.grant({ resource: named(name) });
      await until(
        async () => (await http1(scene.peer(ports.http), { authority: 'aaa.internal' })).status === 200,
        'aaa-api',
      );
      await until(() => hasBanner(scene.peer(ports.new)), 'new-db');
      await until(() => hasBanner(scene.peer(ports.newPlain)), 'new-plain-db');
      await expectAlive();
      expect(await scene.envoy.stat('listener_manager.listener_modified')).toBe(0);
    });

    test('what was denied before stays denied: nobody gets the new resource with an old grant', async () => {
      const answer = await http1(scene.peer(ports.http, 'mallory'), { authority: 'aaa.internal' });
      expect(answer.status).toBe(403);
      expect(await hasBanner(scene.peer(ports.new, 'mallory'))).toBe(false);
    });

    test('writing the same again touches nothing', async () => {
      expect(await change(more().toReversed())).toEqual([]);
    });

    test('a resource that is removed is gone within seconds, and every other session goes on', async () => {
      await change(first);
      await until(
        async () => (await http1(scene.peer(ports.http), { authority: 'aaa.internal' })).status === 403,
        'the end of aaa-api',
      );
      await until(async () => !(await hasBanner(scene.peer(ports.new))), 'the end of new-db');
      // Longer than removed listeners are drained.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await expectAlive();
    });

    test('many changes in a row leave the sessions alone', async () => {
      for (let round = 0; round < 10; round++) {
        await change(round % 2 === 0 ? more() : first);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await expectAlive();
      }
      expect(await scene.envoy.stat('listener_manager.listener_modified')).toBe(0);
    });

    test('another upstream is used by what comes next, and the sessions stay where they are', async () => {
      const other = await tcpUpstream();
      const { port } = other;
      const moved = first.map((one) =>
        one.name === ordersDb ? { ...one, tcp: { ...one.tcp!, upstream: `127.0.0.1:${port}` } } : one,
      );
      expect(await change(moved)).toEqual(['cds.yaml']);
      await until(async () => (await hasBanner(scene.peer(ports.orders))) && other.accepts() > 0, 'the other upstream');
      await expectAlive();
      await change(first);
      await other.close();
    });

    test('a file that makes no sense is refused as a whole, and what was in force stays', async () => {
      const file = join(scene.options.folder, 'rds.yaml');
      writeFileSync(
        `${file}.new`,
        'resources: [{"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, nonsense: 1}]\n',
      );
      renameSync(`${file}.new`, file);
      await until(() => /rds.yaml|nonsense/.test(scene.envoy.log()), 'a word about it');
      const peer = scene.peer(ports.http);
      expect((await http1(peer, { authority: 'billing.internal' })).status).toBe(200);
      expect((await http1(scene.peer(ports.http, 'mallory'), { authority: 'billing.internal' })).status).toBe(403);
      await expectAlive();
      expect(await change(first)).toEqual(['rds.yaml']);
    });
  });
});

async function hasBanner(peer: Peer): Promise<boolean> {
  const connection = openTcp(peer);
  connection.socket.write('hello');
  await until(() => connection.received() !== '' || connection.isClosed(), 'an end');
  connection.socket.destroy();
  return connection.received().startsWith('220');
}
