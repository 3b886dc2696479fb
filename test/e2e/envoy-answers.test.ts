import { join } from 'node:path';
import { Server, ServerCredentials, status, type MethodDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { definitionOf } from '../../src/authz/server.js';
import { billingApi, ordersDb, resource } from '../builders.js';
import { http1, openTcp } from './clients.js';
import { envoysForTests, freePorts } from './envoy.js';
import { startScene, type Scene } from './envoy-scene.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const billing = { authority: 'billing.internal', path: '/asked' };

// Not what our service does: a broken or taken one. What is left then is what Envoy's configuration lets it do.
describe.skipIf(missing !== '')(`odd answers to a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene;
    let web: HttpUpstream;
    let db: TcpUpstream;
    let odd: OddService;
    let socket = '';
    let ports: Record<'http' | 'orders', number>;

    beforeAll(async () => {
      [web, db, ports] = [await httpUpstream(), await tcpUpstream(), await freePorts('http', 'orders')];
      const resources = [
        resource({ name: billingApi, http: { authority: ['billing.internal'], upstream: `127.0.0.1:${web.port}` } }),
        resource({
          name: ordersDb,
          tcp: { port: ports.orders, gate: true, sni: null, upstream: `127.0.0.1:${db.port}` },
        }),
      ];
      scene = await startScene(binary, resources, ports.http, (_, __, folder) => {
        socket = join(folder, 'odd.sock');
        return { authz: { kind: 'unix', path: socket } };
      });
      odd = await startOddService(socket);
    });
    afterAll(async () => {
      await scene?.stop();
      odd?.stop();
      await Promise.all([web?.close(), db?.close()]);
    });
    beforeEach(() => {
      web.arrived.length = 0;
    });
    const ask = () => http1(scene.peer(ports.http), billing);

    test('an allow may add the headers that are ours', async () => {
      odd.answer = () => allowWith(['x-portcullis-grant', 'gr_1'], ['x-portcullis-subject', 'corp/dns:x']);
      expect((await ask()).status).toBe(200);
      expect(web.arrived[0]!.rawHeaders.join()).toContain('x-portcullis-grant,gr_1,x-portcullis-subject,corp/dns:x');
    });

    test('an allow that says nothing of a grant is refused by the guard', async () => {
      odd.answer = () => Buffer.from([10, 2, 8, 0]);
      expect((await ask()).status).toBe(503);
      expect(web.arrived).toEqual([]);
    });

    test.for([
      ['another header', 'x-other', '1'],
      ['a header like ours', 'x-portcullis-grants', '1'],
      ['another path', ':path', '/forged'],
      ['another authority', ':authority', 'other.internal'],
      ['another method', ':method', 'DELETE'],
      ['a host', 'host', 'other.internal'],
      ['two headers in one', 'x-portcullis-grant', 'a\r\nx-forged: b'],
    ] as const)('an allow with %s is a deny', async ([, name, value]) => {
      odd.answer = () => allowWith([name, value]);
      expect((await ask()).status).toBe(500);
      expect(web.arrived).toEqual([]);
    });

    test.for([
      ['an error', () => status.INTERNAL],
      ['an error that says OK elsewhere', () => status.UNKNOWN],
      ['no answer', () => null],
      ['bytes that are no answer', () => Buffer.from('\xff\xff', 'latin1')],
    ] as [string, Answer][])('%s is a deny, for HTTP and behind the gate', async ([, answer]) => {
      odd.answer = answer;
      const begin = performance.now();
      expect((await ask()).status).toBe(503);
      expect(performance.now() - begin).toBeLessThan(2_000);
      const connection = openTcp(scene.peer(ports.orders));
      await connection.closed;
      expect([connection.received(), db.accepts(), web.arrived]).toEqual(['', 0, []]);
    });
  });
});

/** Bytes of a CheckResponse, the code of an error, or null for silence. */
type Answer = () => Buffer | status | null;

interface OddService {
  answer: Answer;
  stop(): void;
}

/** Answers as it is told, without any of our precautions. */
async function startOddService(socket: string): Promise<OddService> {
  const server = new Server();
  const service: OddService = { answer: () => null, stop: () => server.forceShutdown() };
  const check = definitionOf('envoy.service.auth.v3.Authorization')['Check'] as MethodDefinition<unknown, unknown>;
  const raw = { ...check, responseSerialize: (bytes: Buffer) => bytes };
  server.addService(
    { Check: raw },
    {
      Check: (_: unknown, reply: (error: { code: status } | null, bytes?: Buffer) => void) => {
        const answer = service.answer();
        if (typeof answer === 'number') reply({ code: answer });
        else if (answer !== null) reply(null, answer);
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    const done = (error: Error | null) => (error ? reject(error) : resolve());
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), done);
  });
  return service;
}

/** What the guard wants to know of whatever is let in, as a Struct: field 4 of a CheckResponse. */
function standing(): Buffer {
  const until = Date.now() + 60_000;
  const facts = { grant_id: 'gr_1', decision_id: 'dec_1', ends_at: until, remaining_ms: 60_000, as_of: 1 };
  const entries = Object.entries(facts).map(([key, fact]) => {
    const value = protobuf.Writer.create();
    if (typeof fact === 'number') value.uint32(2 * 8 + 1).double(fact);
    else value.uint32(3 * 8 + 2).string(fact);
    return field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, value.finish())]));
  });
  return Buffer.concat(entries);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32(number * 8 + 2)
    .bytes(bytes)
    .finish();
}

/** Status OK, and an `ok_response` with headers: fields 1 and 3 of a CheckResponse. */
function allowWith(...headers: readonly (readonly [string, string])[]): Buffer {
  const text = (number: number, value: string) => field(number, Buffer.from(value));
  const options = headers.map(([name, value]) => field(2, field(1, Buffer.concat([text(1, name), text(2, value)]))));
  return Buffer.concat([field(1, Buffer.of(8, 0)), field(3, Buffer.concat(options)), field(4, standing())]);
}
