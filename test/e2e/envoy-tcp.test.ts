import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ResourceName } from '../../src/domain/names.js';
import { ordersDb, resource } from '../builders.js';
import { openTcp, type Peer } from './clients.js';
import { envoysForTests, freePorts, until } from './envoy.js';
import { makeCertificates, startScene, type Scene } from './envoy-scene.js';
import { tcpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const staffDb = 'staff-db' as ResourceName;
const cacheDb = 'cache-db' as ResourceName;

describe.skipIf(missing !== '')(`raw TCP through a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene;
    let upstream: TcpUpstream;
    let ports: Record<'orders' | 'staff' | 'cache' | 'http' | 'named', number>;

    beforeAll(async () => {
      upstream = await tcpUpstream();
      ports = await freePorts('orders', 'staff', 'cache', 'http', 'named');
      const tcp = (port: number, gate: boolean, sni: string | null = null) => ({
        port,
        sni,
        gate,
        upstream: `127.0.0.1:${upstream.port}`,
      });
      const resources = [
        resource({ tcp: tcp(ports.orders, true) }),
        resource({ name: staffDb, tcp: tcp(ports.staff, true) }),
        resource({ name: cacheDb, tcp: tcp(ports.cache, false) }),
        resource({ name: 'named-db' as ResourceName, tcp: tcp(ports.named, true, 'named.internal') }),
      ];
      scene = await startScene(binary, resources, ports.http);
      for (const name of [ordersDb, cacheDb, 'named-db' as ResourceName]) await scene.service.grant({ resource: name });
      await until(() => passes(scene.peer(ports.orders)), 'the first session');
    });
    afterAll(async () => {
      await scene?.stop();
      await upstream?.close();
    });
    let before = 0;
    beforeEach(async () => {
      await until(() => upstream.open() === 0, 'the end of the sessions before');
      before = upstream.accepts();
      scene.service.asked.length = 0;
    });
    const failed = () => scene.lines().filter(({ event }) => event === 'HandshakeFailed');
    const dialled = () => upstream.accepts() - before;

    describe('through the gate', () => {
      test('who is allowed hears a server that speaks first, without having said anything', async () => {
        const connection = openTcp(scene.peer(ports.orders));
        await until(() => connection.received() === '220 banner\n', 'the banner');
        connection.socket.write('hello');
        await until(() => connection.received() === '220 banner\nhello', 'the echo');
        connection.socket.destroy();
        expect(dialled()).toBe(1);
      });

      test('who is denied is closed, hears nothing, and the upstream is never dialled', async () => {
        const silent = openTcp(scene.peer(ports.orders, 'mallory'));
        const eager = openTcp(scene.peer(ports.orders, 'mallory'));
        eager.socket.write('x'.repeat(100_000));
        await Promise.all([silent.closed, eager.closed]);
        expect([silent.received(), eager.received(), dialled()]).toEqual(['', '', 0]);
      });

      test('a grant for one resource opens no other', async () => {
        const connection = openTcp(scene.peer(ports.staff));
        await connection.closed;
        expect([connection.received(), dialled()]).toEqual(['', 0]);
      });

      test('the service hears of the certificate, the source and the resource from Envoy alone', async () => {
        const connection = openTcp(scene.peer(ports.orders));
        // What a client sends looks like headers, and is payload.
        connection.socket.write('x-portcullis-peer: forged\r\n\r\n');
        await until(() => connection.received().includes('forged'), 'the echo');
        const source = `127.0.0.1:${connection.socket.localPort}`;
        connection.socket.destroy();
        const [{ attributes, named } = { attributes: null, named: [] }] = scene.service.asked;
        expect(named).toEqual(['from-route']);
        expect(attributes?.contextExtensions).toEqual({
          'portcullis.resource': 'orders-db',
          'portcullis.identity': 'gate',
        });
        expect(attributes?.destination?.address?.envoyInternalAddress?.serverListenerName).toBe('gate');
        expect(attributes?.source?.certificate).toBe('');
        const { headerMap } = attributes!.request!.http!;
        expect(headerMap!.headers.map(({ key }) => key).sort()).toEqual(['x-portcullis-peer', 'x-portcullis-source']);
        const value = (name: string) => headerMap!.headers.find(({ key }) => key === name)!;
        expect(text(value('x-portcullis-source'))).toBe(source);
        expect(decodeURIComponent(text(value('x-portcullis-peer')))).toContain('BEGIN CERTIFICATE');
        expect(JSON.stringify(attributes)).not.toContain('forged');
      });

      test('neither Envoy nor the upstream lets a client talk to the gate itself', async () => {
        const connection = openTcp(scene.peer(ports.staff));
        connection.socket.write('CONNECT orders-db HTTP/1.1\r\nHost: orders-db\r\n\r\n');
        await connection.closed;
        expect([connection.received(), dialled()]).toEqual(['', 0]);
        expect(scene.service.asked.map(({ attributes }) => attributes?.contextExtensions)).toEqual([
          { 'portcullis.resource': 'staff-db', 'portcullis.identity': 'gate' },
        ]);
      });

      test('a resource with a name for TLS is reached by that name only', async () => {
        expect(await passes({ ...scene.peer(ports.named), serverName: 'localhost' })).toBe(false);
        expect(dialled()).toBe(0);
        expect(await passes({ ...scene.peer(ports.named), serverName: 'named.internal' })).toBe(true);
      });

      test('the line of the gate leads to the decision, the grant and the request, and shares its source with the other', async () => {
        const connection = openTcp(scene.peer(ports.orders));
        await until(() => connection.received() !== '', 'the banner');
        const source = `127.0.0.1:${connection.socket.localPort}`;
        const begin = await scene.line((line) => line['listener'] === 'gate' && line['source'] === source);
        connection.socket.destroy();
        const end = await scene.line(
          (line) => line['listener'] === 'gate' && line['source'] === source && line['event'] === 'DownstreamEnd',
        );
        for (const line of [begin, end]) {
          expect(line).toMatchObject({
            decision_id: expect.stringMatching(/^dec_/),
            grant_id: expect.stringMatching(/^gr_/),
            request_id: expect.stringMatching(/^req_/),
            subject: 'corp/spiffe://corp/alice',
            resource: 'orders-db',
            reason: null,
            status: 200,
          });
        }
        expect(begin['event']).toBe('DownstreamTunnelSuccessfullyEstablished');
        const outer = await scene.line((line) => line['listener'] === 'tcp' && line['source'] === source);
        expect(outer).toMatchObject({ resource: 'orders-db', bytes_sent: '220 banner\n'.length });
      });

      test('the line of a denied session has the reason', async () => {
        const connection = openTcp(scene.peer(ports.orders, 'trent'));
        await connection.closed;
        const line = await scene.line((one) => one['subject'] === 'corp/spiffe://corp/trent');
        expect(line).toMatchObject({ listener: 'gate', reason: 'no_grant', status: 403, grant_id: null });
        const outer = await scene.line((one) => one['listener'] === 'tcp' && one['source'] === line['source']);
        expect(outer).toMatchObject({ tunnel: 'tunnel_response:403' });
      });
    });

    describe('with the network filter', () => {
      test('who is allowed gets through when they have said something; before, nobody is dialled', async () => {
        const connection = openTcp(scene.peer(ports.cache));
        await until(() => connection.socket.getProtocol() !== null, 'the handshake');
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect([connection.received(), dialled(), scene.service.asked]).toEqual(['', 0, []]);
        connection.socket.write('hello');
        await until(() => connection.received() === '220 banner\nhello', 'banner and echo');
        connection.socket.destroy();
        expect(scene.service.asked.map(({ named }) => named)).toEqual([['cache-db']]);
      });

      test('who is denied sees the TLS alert access_denied, and the upstream is never dialled', async () => {
        const connection = openTcp(scene.peer(ports.cache, 'mallory'));
        connection.socket.write('hello');
        expect(await connection.closed).toBe('ERR_SSL_TLSV1_ALERT_ACCESS_DENIED');
        expect([connection.received(), dialled()]).toEqual(['', 0]);
      });

      test('its lines lead to the decision as well', async () => {
        const connection = openTcp(scene.peer(ports.cache));
        connection.socket.write('hello');
        await until(() => connection.received() !== '', 'the banner');
        connection.socket.destroy();
        const allowed = (one: Readonly<Record<string, unknown>>) =>
          one['resource'] === 'cache-db' && one['event'] === 'TcpConnectionEnd' && one['reason'] === null;
        expect(await scene.line(allowed)).toMatchObject({
          listener: 'tcp',
          decision_id: expect.stringMatching(/^dec_/),
          grant_id: expect.stringMatching(/^gr_/),
          request_id: expect.stringMatching(/^req_/),
          subject: 'corp/spiffe://corp/alice',
        });
        const denied = openTcp(scene.peer(ports.cache, 'victor'));
        denied.socket.write('hello');
        await denied.closed;
        const line = await scene.line((one) => one['subject'] === 'corp/spiffe://corp/victor');
        expect(line).toMatchObject({
          reason: 'no_grant',
          resource: 'cache-db',
          flags: 'UAEX',
        });
        expect(failed()).toEqual([]);
      });
    });

    test.for(['orders', 'cache'] as const)('who is allowed and says much at once loses nothing (%s)', async (name) => {
      const words = Array.from({ length: 20_000 }, (_, i) => `${i} `).join('');
      const connection = openTcp(scene.peer(ports[name]));
      connection.socket.write(words);
      await until(() => connection.received().length >= '220 banner\n'.length + words.length, 'the echo');
      expect(connection.received()).toBe(`220 banner\n${words}`);
      connection.socket.destroy();
    });

    test.for(['orders', 'cache'] as const)('without a good certificate nobody answers (%s)', async (name) => {
      for (const credential of [null, makeCertificates().client('alice')]) {
        const connection = openTcp({ ...scene.peer(ports[name]), credential });
        connection.socket.write('hello');
        expect(await connection.closed).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
        expect(connection.received()).toBe('');
      }
      expect([dialled(), scene.service.asked]).toEqual([0, []]);
      const listener = { orders: 'tcp-orders-db', cache: 'tcp-cache-db' }[name];
      await until(() => failed().filter((line) => line['listener'] === listener).length === 2, 'the lines of both');
    });

    test('while the service is down nobody gets through', async () => {
      await scene.stopService();
      for (const port of [ports.orders, ports.cache]) expect(await passes(scene.peer(port))).toBe(false);
      expect(dialled()).toBe(0);
      await scene.startService();
      await scene.service.grant({ resource: ordersDb });
      await until(() => passes(scene.peer(ports.orders)), 'a session');
    });
  });
});

/** Whether the upstream's banner arrives. */
async function passes(peer: Peer): Promise<boolean> {
  const connection = openTcp(peer);
  connection.socket.write('hello');
  try {
    await until(() => connection.received() !== '' || connection.isClosed(), 'an end');
    return connection.received().startsWith('220');
  } finally {
    connection.socket.destroy();
  }
}

function text({ value, rawValue }: { value?: string; rawValue?: Buffer }): string {
  return value || String(rawValue ?? '');
}
