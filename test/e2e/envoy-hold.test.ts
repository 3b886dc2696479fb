import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HOLD_PLACES } from '../../src/access/hold-places.js';
import type { ResourceName } from '../../src/domain/names.js';
import { seconds } from '../../src/domain/time.js';
import { alice, billingApi, group, ordersDb, policy, resource, subject, T0 } from '../builders.js';
import { http1, http2, openHttp2, openTcp, openWebSocket } from './clients.js';
import { envoysForTests, freePorts, until } from './envoy.js';
import { startScene, type Scene } from './envoy-scene.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const firmDb = 'firm-db' as ResourceName;
const billing = { authority: 'billing.internal' };

/** Longer than the 250 ms that Envoy waits elsewhere, and than the service's own patience. */
const A_WHILE = 1_200;
const HOLD = seconds(3);

// dave and erin are in dev; whatever is in prod can be waited for. firm-db is reached in the same way, but not in prod.
describe.skipIf(missing !== '')(`waiting at a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('$version', (binary) => {
    let scene: Scene;
    let http: HttpUpstream;
    let tcp: TcpUpstream;
    let ports: Record<'http' | 'orders' | 'firm', number>;

    beforeAll(async () => {
      [http, tcp] = [await httpUpstream(), await tcpUpstream()];
      ports = await freePorts('http', 'orders', 'firm');
      const gated = (port: number) => ({ port, sni: null, gate: true, upstream: `127.0.0.1:${tcp.port}` });
      const resources = [
        resource({
          name: billingApi,
          http: { authority: ['billing.internal'], upstream: `127.0.0.1:${http.port}` },
        }),
        resource({ tcp: gated(ports.orders) }),
        resource({ name: firmDb, labels: { env: 'test' }, tcp: gated(ports.firm) }),
      ];
      const firm = policy({
        name: 'firm' as never,
        what: { resources: [firmDb], labels: null, actions: null },
        who: { people: [], groups: [group('dev')], subjects: [] },
      });
      const policies = [policy({ hold: HOLD }), firm];
      scene = await startScene(binary, resources, ports.http, () => ({ service: { policies } }));
    });
    afterAll(async () => {
      await scene?.stop();
      await http?.close();
      await tcp?.close();
    });
    afterEach(async () => {
      await until(() => scene.service.holds.size === 0, 'the end of all waits');
      for (const who of [alice, subject('dave'), subject('erin')])
        for (const what of [billingApi, ordersDb])
          for (const { id } of pendingFor(who, what)) await scene.service.review('bob', id, 'deny');
      // What was said no to is not asked for again for a while, and what was approved ends.
      scene.service.clock.advance(seconds(4_000));
    });

    const pendingFor = (who: typeof alice, what: ResourceName) =>
      scene.service.store.read((snapshot) => snapshot.pendingFor(who, what, scene.service.clock.read().wall));
    /** The request that a connection has opened, as soon as it is there. */
    const waiting = async (who: string, what: ResourceName) => {
      await until(() => pendingFor(subject(who), what).length > 0, 'a request');
      return pendingFor(subject(who), what)[0]!;
    };
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

    describe('HTTP', () => {
      test('one and the same request goes on when it is approved, and reviewers see where it came from', async () => {
        const answer = http1(scene.peer(ports.http), { ...billing, path: '/invoices?token=secret' });
        const { id, connection, binding } = await waiting('alice', billingApi);
        expect(connection).toMatchObject({
          request: 'GET /invoices',
          source: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          key: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
        expect(binding).toEqual({ key: connection!.key, sources: ['127.0.0.1/32'] });
        await pause(A_WHILE);
        await scene.service.review('bob', id);
        expect((await answer).status).toBe(200);
      });

      test('another stream of the same HTTP/2 connection is not held up', async () => {
        await scene.service.ask('dave', { resource: billingApi });
        const session = openHttp2(scene.peer(ports.http, 'dave'));
        const held = http2(session, billing);
        const { id } = await waiting('dave', billingApi);
        const other = await http2(session, { authority: 'unknown.internal' });
        expect(other.status).toBe(403);
        await scene.service.review('bob', id);
        expect((await held).status).toBe(200);
        session.destroy();
      });

      test('a WebSocket waits as well', async () => {
        const connection = openWebSocket(scene.peer(ports.http), 'billing.internal');
        const { id } = await waiting('alice', billingApi);
        await pause(A_WHILE);
        await scene.service.review('bob', id);
        await until(() => connection.received() !== '', 'the upgrade');
        expect(connection.received()).toMatch(/^HTTP\/1\.1 101 /);
        connection.socket.destroy();
      });

      test('it is refused at once when it is denied, with what became of it', async () => {
        const answer = http1(scene.peer(ports.http), billing);
        const { id } = await waiting('alice', billingApi);
        await pause(A_WHILE);
        await scene.service.review('bob', id, 'deny');
        const { status, body } = await answer;
        expect([status, body]).toEqual([403, expect.stringContaining(`request ${id} was denied`)]);
        const again = await http1(scene.peer(ports.http), billing);
        expect([again.status, pendingFor(alice, billingApi)]).toEqual([403, []]);
      });

      test('when nobody answers it gets an explicit deny that names the request, before Envoy gives up', async () => {
        const begun = performance.now();
        const { status, body, headers } = await http1(scene.peer(ports.http), billing);
        const took = performance.now() - begun;
        const { id } = await waiting('alice', billingApi);
        expect([status, headers['x-portcullis-reason']]).toEqual([403, 'pending_approval']);
        expect(body).toContain(`waits: ${id}`);
        expect(took).toBeGreaterThan(HOLD - 100);
        expect(took).toBeLessThan(HOLD + 450);
      });

      test('who leaves is forgotten at once, and their request stays', async () => {
        const { socket } = openWebSocket(scene.peer(ports.http), 'billing.internal');
        await waiting('alice', billingApi);
        expect(scene.service.holds.size).toBe(1);
        socket.destroy();
        await until(() => scene.service.holds.size === 0, 'the end of the wait', 1_000);
        expect(pendingFor(alice, billingApi)).toHaveLength(1);
      });

      test('one certificate that opens as many as it can leaves everybody else alone', async () => {
        await scene.service.ask('erin', { resource: billingApi });
        const granted = await waiting('erin', billingApi);
        await scene.service.review('bob', granted.id);
        const [alices, erins] = [scene.peer(ports.http), scene.peer(ports.http, 'erin')];
        const crowd = Array.from({ length: 100 }, () => openWebSocket(alices, 'billing.internal'));
        const refused = () => crowd.filter((one) => one.received().startsWith('HTTP/1.1 403')).length;
        // Those that wait may be over before all have come, where the machine is slow.
        await until(() => refused() >= crowd.length - HOLD_PLACES.ofOne, 'the refusals', 20_000);
        const times: number[] = [];
        for (let n = 0; n < 20; n++) {
          const begun = performance.now();
          expect((await http1(erins, billing)).status).toBe(200);
          times.push(performance.now() - begun);
        }
        expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(200);
        expect(pendingFor(alice, billingApi)).toHaveLength(1);
        expect(scene.service.holds.size).toBeLessThanOrEqual(HOLD_PLACES.ofOne);
        for (const { socket } of crowd) socket.destroy();
      });
    });

    describe('raw TCP through the gate', () => {
      test('one and the same connection goes on when it is approved; before, nobody is dialled', async () => {
        const before = tcp.accepts();
        const connection = openTcp(scene.peer(ports.orders));
        const { id, connection: shown } = await waiting('alice', ordersDb);
        expect(shown).toMatchObject({ request: null, source: `127.0.0.1:${connection.socket.localPort}` });
        connection.socket.write('early ');
        await pause(A_WHILE);
        expect([connection.received(), connection.isClosed(), tcp.accepts() - before]).toEqual(['', false, 0]);
        await scene.service.review('bob', id);
        await until(() => connection.received() === '220 banner\nearly ', 'the banner and the echo');
        connection.socket.destroy();
      });

      test('it is closed at once when it is denied', async () => {
        const before = tcp.accepts();
        const connection = openTcp(scene.peer(ports.orders));
        await until(() => connection.socket.localPort !== undefined, 'the connection');
        const port = connection.socket.localPort;
        const { id } = await waiting('alice', ordersDb);
        await pause(A_WHILE);
        await scene.service.review('bob', id, 'deny');
        await connection.closed;
        expect([connection.received(), tcp.accepts() - before]).toEqual(['', 0]);
        const source = `127.0.0.1:${port}`;
        const line = await scene.line((one) => one['listener'] === 'gate' && one['source'] === source);
        expect(line).toMatchObject({ status: 403, reason: expect.stringMatching(/^(?:no_grant|expired)$/) });
      });

      test('it is closed when nobody answers in time', async () => {
        const begun = performance.now();
        await openTcp(scene.peer(ports.orders)).closed;
        expect(performance.now() - begun).toBeGreaterThan(HOLD - 100);
        expect(performance.now() - begun).toBeLessThan(HOLD + 450);
      });

      test('who leaves is forgotten at once, and the upstream never hears of them', async () => {
        const before = tcp.accepts();
        const { ca, credential } = scene.peer(ports.orders);
        const raw = connect(ports.orders, '127.0.0.1');
        const own = { cert: credential!.pem, key: credential!.keyPem };
        connectTls({ socket: raw, ca, servername: 'localhost', ...own }).on('error', () => undefined);
        const { id } = await waiting('alice', ordersDb);
        // A reset: with half a close alone nobody can tell whether the client still listens.
        raw.resetAndDestroy();
        await until(() => scene.service.holds.size === 0, 'the end of the wait', 1_000);
        await scene.service.review('bob', id);
        await pause(200);
        expect(tcp.accepts() - before).toBe(0);
      });

      test('where nothing can be waited for the answer is there at once', async () => {
        const begun = performance.now();
        await openTcp(scene.peer(ports.firm)).closed;
        expect(performance.now() - begun).toBeLessThan(1_000);
        expect(pendingFor(alice, firmDb)).toEqual([]);
      });
    });

    test('Envoy itself never ran out of time', async () => {
      expect(scene.service.alarms).toEqual([]);
      for (const name of ['cluster.portcullis-authz.upstream_rq_timeout', 'http.http.ext_authz.portcullis.error'])
        expect(await scene.envoy.stat(name.replaceAll('.', '\\.'))).toBe(0);
      expect(scene.service.clock.read().wall).toBeGreaterThan(T0);
    });
  });
});
