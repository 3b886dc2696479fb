import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientHttp2Session } from 'node:http2';
import { makeCa, type Credential } from '../../src/demo/certificates.js';
import { parseDn } from '../../src/domain/dn.js';
import { after, days } from '../../src/domain/time.js';
import { T0 } from '../builders.js';
import { http1, http2, openHttp2, openTcp, rawHttp } from './clients.js';
import { envoysForTests, until } from './envoy.js';
import { billing, startHttpScene, type HttpScene } from './envoy-http-scene.js';
import { makeCertificates, VALIDITY, type Asked } from './envoy-scene.js';

const { envoys, missing } = await envoysForTests();

describe.skipIf(missing !== '')(`attacks on HTTP through a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let s: HttpScene;
    let session: ClientHttp2Session;
    beforeAll(async () => {
      s = await startHttpScene(binary);
    });
    afterAll(() => s?.stop());
    beforeEach(() => {
      s.forget();
      session = openHttp2(s.alice);
      return () => session.destroy();
    });

    describe('headers of ours that a client sends', () => {
      test.for([
        ['as it is', 'x-portcullis-peer'],
        ['in upper case', 'X-PORTCULLIS-PEER'],
        ['of a name that is not in use', 'x-portcullis-anything'],
        ['meant for the upstream', 'X-Portcullis-Subject'],
        ['that names a resource', 'x-portcullis-resource'],
        ['of the gate log', 'x-portcullis-log-source'],
      ] as const)('%s reach neither the service nor the upstream', async ([, name]) => {
        const wish = { ...billing, headers: { [name]: 'forged', accept: 'text/marker' } };
        const over2 = { ...wish, headers: { ...wish.headers, [name.toLowerCase()]: 'forged' } };
        const answers = [await http1(s.alice, wish), await http2(session, over2)];
        expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        expect(JSON.stringify(s.upstream.arrived)).not.toMatch(/forged|x-portcullis/i);
        expect(s.leaked()).not.toContain('forged');
        // What it may hear of is there: a service that hears of no header at all would pass as well.
        expect(headersOf(s.lastAsked())).toContainEqual(['accept', 'text/marker']);
      });

      test.for(['x_portcullis_peer', 'X_Portcullis-Peer', 'x-portcullis_peer', 'any_thing'])(
        'spelt %s, with underscores, are refused',
        async (name) => {
          expect((await http1(s.alice, { ...billing, headers: { [name]: 'forged' } })).status).toBe(400);
          expect([s.upstream.arrived, s.scene.service.asked]).toEqual([[], []]);
        },
      );

      test.for([
        ['repeated', 'X-Portcullis-Peer: forged-a\r\nx-portcullis-peer: forged-b\r\n'],
        ['with a space before the colon', 'x-portcullis-peer : forged\r\n'],
        ['with a tab before the colon', 'x-portcullis-peer\t: forged\r\n'],
        ['folded', 'x-portcullis-peer:\r\n forged\r\n'],
        ['folded under another', 'x-other: a\r\n x-portcullis-peer: forged\r\n'],
        ['that Connection names', 'Connection: x-portcullis-peer\r\nx-portcullis-peer: forged\r\n'],
        ['behind a bare line feed', 'x-other: a\nx-portcullis-peer: forged\r\n'],
        ['behind a bare carriage return', 'x-other: a\rx-portcullis-peer: forged\r\n'],
        ['behind a NUL', 'x-other: a\0x-portcullis-peer: forged\r\n'],
      ] as const)('%s buy nothing', async ([, lines]) => {
        await rawHttp(s.alice, requestFor('/', lines));
        const names = s.upstream.arrived.flatMap(({ rawHeaders }) => rawHeaders.filter((_, i) => i % 2 === 0));
        expect(names.filter((name) => /portcullis/i.test(name))).toEqual([]);
        expect(JSON.stringify(s.scene.service.asked)).not.toContain('forged');
      });

      test('in trailers do not reach a gRPC upstream', async () => {
        const stream = session.request(
          {
            ':method': 'POST',
            ':path': '/pkg.Ledger/Post',
            ':authority': 'ledger.internal',
            'content-type': 'application/grpc',
            te: 'trailers',
          },
          { waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-portcullis-subject': 'forged', 'x-other': 'kept' }));
        stream.end(Buffer.of(0, 0, 0, 0, 0));
        stream.resume();
        await until(() => stream.closed, 'the end of the call');
        await until(() => s.leaked().includes('x-other'), 'the trailers');
        expect(s.leaked()).not.toContain('forged');
      });
    });

    describe('other headers that tell who somebody is', () => {
      test('x-forwarded-client-cert is written anew', async () => {
        const forged = { 'x-forwarded-client-cert': 'By=x;URI=spiffe://corp/forged' };
        await http1(s.alice, { ...billing, headers: forged });
        expect(s.upstream.arrived[0]!.rawHeaders.join(' ')).toContain('URI=spiffe://corp/alice');
        expect(s.leaked()).not.toContain('forged');
        const asAlice = { 'x-forwarded-client-cert': 'By=x;URI=spiffe://corp/alice' };
        expect((await http1(s.mallory, { ...billing, headers: asAlice })).status).toBe(403);
      });

      test('x-envoy headers change neither timeouts nor retries nor paths', async () => {
        const headers = {
          'x-envoy-upstream-rq-timeout-ms': '1',
          'x-envoy-retry-on': '5xx',
          'x-envoy-original-path': '/forged',
          'x-envoy-decorator-operation': 'forged',
        };
        expect((await http1(s.alice, { ...billing, headers })).status).toBe(200);
        expect(s.leaked()).not.toMatch(/forged|retry-on|rq-timeout-ms|envoy-internal/);
      });
    });

    describe('paths', () => {
      test.for([
        '/a//b',
        '/a/../b',
        '/a/./b',
        '/a/%2e%2e/b',
        '/../b',
        '/%41',
        '/a\\b',
        '/a/..;/b',
        '/a/%252e%252e/b',
        '//a',
      ])('%j is put to the service as the upstream gets it, or refused', async (path) => {
        const text = await rawHttp(s.alice, requestFor(path));
        const judged = s.scene.service.asked.map(({ attributes }) => attributes!.request!.http!.path);
        if (text.startsWith('HTTP/1.1 200')) expect(s.upstream.arrived.map((one) => one.path)).toEqual(judged);
        else expect([text.slice(0, 12), s.upstream.arrived]).toEqual([expect.stringMatching(/ (?:400|403)$/), []]);
        expect(judged.join()).not.toMatch(/\.\.|\/\//);
      });

      test.for([
        '/a%2fb',
        '/a%2Fb',
        '/a%5cb',
        '/a%5Cb',
        '/a%00b',
        '/a\0b',
        '/a;b=c',
        '/a#b',
        '/a%',
        '/a b',
        '/\xff',
        '/%ff',
        '*',
        'a',
        '',
      ])('%j, which has several readings, reaches no upstream', async (path) => {
        const text = await rawHttp(s.alice, requestFor(path));
        expect(text).toMatch(/^(?:$|HTTP\/1\.1 4)/);
        expect(s.upstream.arrived).toEqual([]);
      });

      test('an authority in the request line counts, and not the one beside it', async () => {
        const absolute = (authority: string, host: string) =>
          rawHttp(s.alice, `GET https://${authority}/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        expect(await absolute('reports.internal', 'billing.internal')).toMatch(/^HTTP\/1\.1 403 /);
        expect(s.upstream.arrived).toEqual([]);
      });

      test('CONNECT, to whatever name, reaches no upstream', async () => {
        for (const target of ['billing.internal:443', 'billing-api', 'orders-db:1']) {
          const text = await rawHttp(
            s.alice,
            `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`,
          );
          // No route takes it, so nobody has been asked; the guard lets nothing through that has no answer.
          expect(text).toMatch(/^(?:$|HTTP\/1\.1 (?:4|503))/);
        }
        expect(s.upstream.arrived).toEqual([]);
      });
    });

    describe('TLS', () => {
      test.for([
        ['no certificate', () => null],
        ['one of a foreign CA', () => makeCertificates().client('alice')],
        ['one that has expired', () => s.scene.certificates.client('alice', undefined, PAST)],
        ['one that signed itself', () => makeCa({ subject: parseDn('CN=self'), ...VALIDITY })],
      ] as [string, () => Credential | null][])('with %s there is no answer at all', async ([, credential]) => {
        const before = failures().length;
        const connection = openTcp({ ...s.alice, credential: credential() }, ['http/1.1']);
        connection.socket.write(requestFor('/'));
        expect(await connection.closed).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
        expect([connection.received(), s.upstream.arrived, s.scene.service.asked]).toEqual(['', [], []]);
        await until(() => failures().length > before, 'a line in the access log');
        expect(failures().at(-1)).toMatchObject({ listener: 'http', failure: expect.stringContaining('TLS_error') });
      });
      const failures = () => s.scene.lines().filter(({ event }) => event === 'HandshakeFailed');

      test('no session is offered for resumption', async () => {
        for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
          const first = openTcp({ ...s.alice, version }, ['http/1.1']);
          let ticket = false;
          first.socket.on('session', () => (ticket = true));
          first.socket.write(requestFor('/'));
          await first.closed;
          expect([first.received().slice(0, 12), ticket]).toEqual(['HTTP/1.1 200', false]);
        }
      });

      test('TLS 1.2 is spoken, and nothing older', async () => {
        const spoken = openTcp({ ...s.alice, version: 'TLSv1.2' });
        await until(() => spoken.socket.getProtocol() === 'TLSv1.2', 'the handshake');
        spoken.socket.destroy();
        expect(await openTcp({ ...s.alice, version: 'TLSv1.1' }).closed).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      });
    });
  });
});

/** Over for long, by Envoy's clock. */
const PAST = { validUntil: after(T0, days(1)) };

function requestFor(path: string, lines = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: billing.internal\r\nConnection: close\r\n${lines}\r\n`;
}

function headersOf(asked: Asked): [string, string][] {
  const { headers = {}, headerMap } = asked.attributes?.request?.http ?? {};
  const raw = (headerMap?.headers ?? []).map(({ key, value, rawValue }) => [key, value || String(rawValue ?? '')]);
  return [...Object.entries(headers), ...raw] as [string, string][];
}
