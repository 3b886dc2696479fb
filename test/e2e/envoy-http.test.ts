import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hours } from '../../src/domain/time.js';
import { alice as aliceSubject, billingApi, T0 } from '../builders.js';
import { http1, http2, openHttp2, openWebSocket } from './clients.js';
import { envoysForTests, until } from './envoy.js';
import { billing, startHttpScene, type HttpScene } from './envoy-http-scene.js';

const { envoys, missing } = await envoysForTests();

describe.skipIf(missing !== '')(`HTTP through a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let s: HttpScene;
    beforeAll(async () => {
      s = await startHttpScene(binary);
    });
    afterAll(() => s?.stop());
    beforeEach(() => s.forget());

    test('a certificate with a grant passes, over HTTP/1.1 and HTTP/2', async () => {
      expect((await http1(s.alice, billing)).status).toBe(200);
      const session = openHttp2(s.alice);
      expect((await http2(session, billing)).status).toBe(200);
      session.destroy();
      expect(s.upstream.arrived).toHaveLength(2);
    });

    test('the route names the resource, and the filter says that it must', async () => {
      await http1(s.alice, billing);
      expect(s.lastAsked().attributes?.contextExtensions).toEqual({ 'portcullis.resource': 'billing-api' });
      expect(s.lastAsked().named).toEqual(['from-route']);
    });

    test('without a grant the answer is 403 with the reason and what to do, and the upstream hears nothing', async () => {
      const { status, body, headers } = await http1(s.mallory, billing);
      expect(status).toBe(403);
      expect(body).toContain('access denied (no_grant)');
      expect(headers['x-portcullis-decision']).toMatch(/^dec_/);
      expect(body).toContain(headers['x-portcullis-decision']);
      expect(s.upstream.arrived).toEqual([]);
    });

    test('who accepts JSON gets a problem document', async () => {
      const answer = await http1(s.mallory, { ...billing, headers: { accept: 'application/json' } });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({ status: 403, reason: 'no_grant', resource: 'billing-api' });
    });

    test('a grant for one resource opens no other, not on the same connection either', async () => {
      expect((await http1(s.alice, { authority: 'reports.internal' })).status).toBe(403);
      const session = openHttp2(s.alice);
      const both = [await http2(session, billing), await http2(session, { authority: 'reports.internal' })];
      session.destroy();
      expect(both.map(({ status }) => status)).toEqual([200, 403]);
    });

    test.for(['unknown.internal', 'billing.internal.', 'billing', 'x.billing.internal', '127.0.0.1', '*'])(
      'the authority %s belongs to no resource and is denied with a decision',
      async (authority) => {
        const { status, headers } = await http1(s.alice, { authority });
        expect([status, headers['x-portcullis-reason']]).toEqual([403, 'unknown_resource']);
      },
    );

    test.for(['billing.internal:443', 'billing.internal:18443', 'BILLING.internal'])(
      'the authority %s is that of the resource',
      async (authority) => {
        expect((await http1(s.alice, { authority })).status).toBe(200);
      },
    );

    test('gRPC passes with a grant; a deny is grpc-status 7 with the reason', async () => {
      const [session, other] = [openHttp2(s.alice), openHttp2(s.mallory)];
      const call = {
        authority: 'ledger.internal',
        method: 'POST',
        path: '/pkg.Ledger/Post',
        headers: { 'content-type': 'application/grpc', te: 'trailers' },
        body: '\0\0\0\0\0',
      };
      s.grpc.arrived.length = 0;
      const [allowed, denied] = [await http2(session, call), await http2(other, call)];
      session.destroy();
      other.destroy();
      expect([allowed.status, allowed.headers['grpc-status']]).toEqual([200, '0']);
      expect([denied.status, denied.headers['grpc-status']]).toEqual([200, '7']);
      expect(decodeURIComponent(String(denied.headers['grpc-message']))).toContain('access denied (no_grant)');
      expect(s.grpc.arrived).toHaveLength(1);
    });

    test('a WebSocket passes with a grant and not without', async () => {
      const [open, shut] = [openWebSocket(s.alice, 'billing.internal'), openWebSocket(s.mallory, 'billing.internal')];
      await until(() => open.received().includes('101 Switching'), 'the upgrade');
      open.socket.write('to and fro');
      await until(() => open.received().endsWith('to and fro'), 'the echo');
      await until(() => shut.received().includes('\r\n\r\n'), 'the deny');
      expect(shut.received()).toMatch(/^HTTP\/1\.1 403 /);
      for (const { socket } of [open, shut]) socket.destroy();
      expect(s.upstream.arrived).toHaveLength(1);
    });

    test('a request with the largest headers that Envoy takes is judged like any other', async () => {
      const headers = { accept: 'text/plain', 'x-large': 'x'.repeat(28_000), 'content-type': 'x'.repeat(28_000) };
      expect((await http1(s.alice, { ...billing, headers })).status).toBe(200);
      const denied = await http1(s.mallory, { ...billing, headers });
      expect([denied.status, denied.headers['x-portcullis-reason']]).toEqual([403, 'no_grant']);
    });

    test('the access log leads from a line to the decision, the grant and the request, without the query', async () => {
      const grant = s.scene.service.store.read((snapshot) => snapshot.grantsFor(aliceSubject, billingApi, T0))[0]!;
      await http1(s.alice, { ...billing, path: '/logged?token=secret' });
      const { headers } = await http1(s.mallory, { ...billing, path: '/logged-deny?token=secret' });
      expect(await s.scene.line(({ path }) => path === '/logged')).toMatchObject({
        listener: 'http',
        decision_id: expect.stringMatching(/^dec_/),
        grant_id: grant.id,
        request_id: grant.requestId,
        policy: grant.policy,
        subject: aliceSubject,
        resource: 'billing-api',
        reason: null,
        status: 200,
        authority: 'billing.internal',
        method: 'GET',
        protocol: 'HTTP/1.1',
        tls_version: 'TLSv1.3',
        source: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      });
      expect(await s.scene.line(({ path }) => path === '/logged-deny')).toMatchObject({
        decision_id: headers['x-portcullis-decision'],
        subject: 'corp/spiffe://corp/mallory',
        reason: 'no_grant',
        status: 403,
      });
      expect(JSON.stringify(s.scene.lines())).not.toContain('secret');
    });

    test('a WebSocket has a line when it begins, and one when it ends', async () => {
      const connection = openWebSocket(s.alice, 'billing.internal', '/live');
      const begin = await s.scene.line(({ path }) => path === '/live');
      expect(begin).toMatchObject({ event: 'DownstreamTunnelSuccessfullyEstablished', resource: 'billing-api' });
      connection.socket.destroy();
      const end = await s.scene.line(({ path, event }) => path === '/live' && event === 'DownstreamEnd');
      expect(end['decision_id']).toBe(begin['decision_id']);
    });

    test('what clients write cannot break out of its line in the log', async () => {
      const path = `/${encodeURIComponent('"}\n{"forged')}`;
      await http1(s.alice, { authority: 'unknown"}{.internal', path, method: 'FORGED' });
      await http1(s.alice, { ...billing, path, headers: { 'user-agent': '"}\t{"forged":"1' } });
      await s.scene.line((line) => line['path'] === path && line['status'] !== null);
      expect(s.scene.lines().some((line) => 'forged' in line)).toBe(false);
    });

    test('at the end of the grant the next request is denied', async () => {
      s.scene.service.clock.advance(hours(1));
      const { status, headers } = await http1(s.alice, billing);
      expect([status, headers['x-portcullis-reason']]).toEqual([403, 'expired']);
      await s.scene.service.grant({ resource: billingApi });
      expect((await http1(s.alice, billing)).status).toBe(200);
    });

    test('while the service is down everything is denied, and when it is back the next request is judged', async () => {
      expect(s.scene.service.alarms).toEqual([]);
      await s.scene.stopService();
      s.forget();
      for (const peer of [s.alice, s.mallory]) expect((await http1(peer, billing)).status).toBe(503);
      expect((await http1(s.alice, { authority: 'unknown.internal' })).status).toBe(503);
      expect(s.upstream.arrived).toEqual([]);
      expect(await s.scene.line(({ status }) => status === 503)).toMatchObject({ decision_id: null, grant_id: null });
      await s.scene.startService();
      await s.scene.service.grant({ resource: billingApi });
      await until(async () => (await http1(s.alice, billing)).status === 200, 'an answer');
      expect((await http1(s.mallory, billing)).status).toBe(403);
    });
  });
});
