import { connect, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { decodeAnswer } from '../../test/check-requests.js';
import { plainDeny } from './answer.js';
import { patienceIn, serveOnStreams } from './fast-lane.js';
import { serveAuthz } from './server.js';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const folder = mkdtempSync(join(tmpdir(), 'portcullis-lane-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  /** Headers and trailers together. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server that answers every check with a deny, and calls with whatever bytes and headers. */
async function scene() {
  const asked: { readonly bytes: string; readonly named: readonly string[] }[] = [];
  const socket = join(mkdtempSync(join(folder, 's-')), 's');
  const server = await serveAuthz(
    { target: `unix:${socket}`, credentials: ServerCredentials.createInsecure() },
    (bytes, named) => {
      asked.push({ bytes: bytes.toString(), named });
      return plainDeny('no_grant');
    },
    { alarm: () => {} },
  );
  const session = connect('http://portcullis', { path: socket } as object);
  onTestFinished(async () => {
    session.destroy();
    await server.close(0);
  });
  const call = async (parts: readonly Buffer[], over: Record<string, string | string[]> = {}): Promise<Ended> => {
    const headers = { ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc', te: 'trailers', ...over };
    const stream = session.request(headers);
    const got: IncomingHttpHeaders = {};
    const body: Buffer[] = [];
    stream.on('response', (some) => Object.assign(got, some)).on('trailers', (some) => Object.assign(got, some));
    stream.on('data', (part: Buffer) => body.push(part)).on('error', () => undefined);
    const closed = once(stream, 'close');
    for (const part of parts) {
      stream.write(part);
      await new Promise((resolve) => setTimeout(resolve, 2)); // so that it is a frame of its own
    }
    stream.end();
    await closed;
    return { headers: got, body: Buffer.concat(body) };
  };
  return { asked, call, session, socket };
}

const framed = (message: string, { flag = 0, length = Buffer.byteLength(message) } = {}) => {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, Buffer.from(message)]);
};

test('this release of grpc-js lets the lane in', async () => {
  const server = new Server();
  await new Promise<void>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
  );
  onTestFinished(() => server.forceShutdown());
  const lane = { path: CHECK, metadata: 'm', maxMessage: 9, admits: () => true, handler: () => undefined };
  expect(serveOnStreams(server, lane)).toBe(true);
  expect(serveOnStreams({} as Server, lane)).toBe(false);
});

test.for([
  ['plain, through the lane', {}],
  ['with a type that is written out', { 'content-type': 'application/grpc+proto' }],
  ['with a deadline', { 'grpc-timeout': '250m' }],
  ['said to be uncompressed', { 'grpc-encoding': 'identity' }],
  ['with a content type that only grpc-js knows', { 'content-type': 'application/grpc;charset=utf-8' }],
] as const)('a call %s gets its answer', async ([, headers]) => {
  const { call, asked } = await scene();
  const { headers: got, body } = await call([framed('hello')], { ...headers, 'x-portcullis-resource': 'orders-db' });
  expect(got).toMatchObject({ ':status': 200, 'grpc-status': '0' });
  expect(got['content-type']).toMatch(/^application\/grpc/);
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  expect(decodeAnswer(body.subarray(5)).status).toMatchObject({ message: 'no_grant' });
  expect(asked).toEqual([{ bytes: 'hello', named: ['orders-db'] }]);
});

test('a message in many frames is the same message', async () => {
  const { call, asked } = await scene();
  const whole = framed('hello world');
  await call(Array.from(whole, (byte) => Buffer.of(byte)));
  expect(asked.map(({ bytes }) => bytes)).toEqual(['hello world']);
});

test.for([
  ['nothing', []],
  ['half a prefix', [Buffer.of(0, 0)]],
  ['less than was announced', [framed('hello', { length: 9 })]],
  ['more than was announced', [framed('hello', { length: 2 })]],
  ['two messages', [framed('one'), framed('two')]],
  ['a compressed message', [framed('hello', { flag: 1 })]],
  ['a message above 256 KiB', [framed('x'.repeat(256 * 1024 + 1))]],
] as [string, Buffer[]][])('%s is an explicit deny, nobody is asked, and the next call works', async ([, parts]) => {
  const { call, asked } = await scene();
  const { body } = await call(parts);
  expect(decodeAnswer(body.subarray(5)).status).toMatchObject({ message: 'malformed' });
  expect(asked).toEqual([]);
  expect((await call([framed('hello')])).headers).toMatchObject({ 'grpc-status': '0' });
});

test.for([
  ['another method of gRPC', { ':path': '/envoy.service.auth.v3.Authorization/Other' }],
  ['another method of HTTP', { ':method': 'GET' }],
] as const)('%s is left to grpc-js, and asks nothing when that refuses it', async ([, headers]) => {
  const { call, asked } = await scene();
  const { body } = await call(headers[':method' as never] ? [] : [framed('hello')], headers);
  expect(body).toHaveLength(0);
  expect(asked).toEqual([]);
});

test('a compressed message is left to grpc-js, which reads it', async () => {
  const { call, asked } = await scene();
  const zipped = gzipSync('hello');
  const prefix = framed('', { flag: 1, length: zipped.length });
  const { body } = await call([prefix, zipped], { 'grpc-encoding': 'gzip' });
  expect(decodeAnswer(body.subarray(5)).status).toMatchObject({ message: 'no_grant' });
  expect(asked.map(({ bytes }) => bytes)).toEqual(['hello']);
});

test('two values of the metadata are not one', async () => {
  const { call, asked } = await scene();
  await call([framed('')], { 'x-portcullis-resource': ['orders-db', 'billing-api'] });
  expect(asked[0]!.named).not.toEqual(['orders-db']);
  expect(asked[0]!.named).not.toEqual(['billing-api']);
});

test('callers who give up at any moment harm nobody', async () => {
  const { call, session } = await scene();
  const message = framed('hello');
  for (let sent = 0; sent <= message.length; sent++) {
    const stream = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    stream.write(message.subarray(0, sent));
    if (sent === message.length) stream.end();
    setImmediate(() => stream.close(8));
    await once(stream, 'close');
  }
  expect((await call([message])).headers).toMatchObject({ 'grpc-status': '0' });
});

test.for<[string | string[] | undefined, number | null]>([
  ['250m', 250],
  ['30500m', 30_500],
  ['30S', 30_000],
  ['2M', 120_000],
  ['1H', 3_600_000],
  ['500000u', 500],
  ['1000000n', 1],
  ['99999999H', 99_999_999 * 3_600_000],
  [undefined, null],
  ['', 0],
  ['30', 0],
  ['-1S', 0],
  ['1.5S', 0],
  ['100000000S', 0],
  [['1S', '2S'], 0],
])('a grpc-timeout of %s is a patience of %s ms', ([timeout, patience]) => {
  expect(patienceIn(timeout)).toBe(patience);
});
