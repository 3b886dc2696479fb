import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../connection/connection.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { createClient, type Client } from './client.js';
import { members, text } from './shape.js';

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A service that does as a test says, call by call; the last of the script answers all that come after. */
class Scripted {
  readonly heard: Heard[] = [];
  readonly slept: number[] = [];
  readonly #server: Server;
  readonly clients: Client[] = [];

  constructor(script: readonly RequestListener[]) {
    this.#server = createServer((request, response) => {
      void this.#answer(script, request, response);
    });
  }

  async #answer(
    script: readonly RequestListener[],
    ...[request, response]: Parameters<RequestListener>
  ): Promise<void> {
    const body = await textOf(request);
    const act = script[Math.min(this.heard.length, script.length - 1)]!;
    this.heard.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    act(request, response);
  }

  async client(over: Partial<Connection> = {}): Promise<Client> {
    if (!this.#server.listening) await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    const { port } = this.#server.address() as AddressInfo;
    const target = { kind: 'url', url: new URL(`http://127.0.0.1:${port}`) } as const;
    let unique = 0;
    const client = createClient(
      { target, tls: {}, token: null, ...over },
      {
        time: { wall: () => 0, mono: () => 0, sleep: async (ms) => void this.slept.push(ms) },
        unique: () => `key-${++unique}`,
        version: '1.2.3',
      },
    );
    this.clients.push(client);
    return client;
  }

  close(): void {
    for (const client of this.clients) client.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let service: Scripted;
const serve = (...script: RequestListener[]) => (service = new Scripted(script));
afterEach(() => service.close());

const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
  };
const dropped: RequestListener = (request) => void request.socket.destroy();
const busy = json(429, { code: 'too_many_calls', detail: 'x' }, { 'retry-after': '2' });
const leaving = json(503, { code: 'shutting_down', detail: 'x' });
const good = json(200, { name: 'alice' }, { etag: '"7-x"' });

const shape = members({ name: text });
const question = { path: ['v1', 'whoami'], shape };

async function exitCodeOf(work: Promise<unknown>): Promise<number> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error.exitCode;
  throw new Error('nothing failed', { cause: error });
}

test('a call carries token, version and what it is asked for', async () => {
  const client = await serve(good).client({ token: 'pcs_t' });
  await client.get({ path: ['v1', 'a/b c', '..'], query: { mine: 'true', none: undefined, subject: 'a&b=c' }, shape });
  expect(service.heard[0]).toMatchObject({
    method: 'GET',
    url: '/v1/a%2Fb%20c/..?mine=true&subject=a%26b%3Dc',
    headers: { authorization: 'Bearer pcs_t', 'user-agent': 'portcullis/1.2.3' },
  });
});

test('a change goes out under a key of its own, and a question without one', async () => {
  const client = await serve(good).client();
  await client.send({ ...question, body: { a: 1, b: undefined } });
  await client.send({ ...question, method: 'DELETE' });
  await client.send({ ...question, body: {}, once: false });
  expect(service.heard.map(({ method, body, headers }) => [method, body, headers['idempotency-key']])).toEqual([
    ['POST', '{"a":1}', 'key-1'],
    ['DELETE', '', 'key-2'],
    ['POST', '{}', undefined],
  ]);
  expect(service.heard[1]!.headers['content-type']).toBeUndefined();
});

test('after a broken connection a change is sent again under the same key', async () => {
  const client = await serve(dropped, dropped, good).client();
  expect(await client.send({ ...question, body: { a: 1 } })).toEqual({ name: 'alice' });
  expect(service.heard.map(({ body, headers }) => [body, headers['idempotency-key']])).toEqual(
    Array.from({ length: 3 }, () => ['{"a":1}', 'key-1']),
  );
  expect(service.slept).toEqual([200, 500]);
});

test('after a broken connection what has no key is not sent again', async () => {
  const client = await serve(dropped, good).client();
  expect(await exitCodeOf(client.send({ ...question, body: {}, once: false }))).toBe(EXIT.unreachable);
  expect(service.heard).toHaveLength(1);
});

test('a service that stays broken is given up after four tries', async () => {
  const client = await serve(dropped).client();
  expect(await exitCodeOf(client.get(question))).toBe(EXIT.unreachable);
  expect(service.heard).toHaveLength(4);
});

test('a service that is not there is tried four times, whatever was asked', async () => {
  const client = await serve(good).client();
  service.close();
  expect(await exitCodeOf(client.send({ ...question, once: false }))).toBe(EXIT.unreachable);
  expect(service.slept).toEqual([200, 500, 1_000]);
});

test('who is told to come back comes back then', async () => {
  const client = await serve(busy, leaving, good).client();
  await client.send({ ...question, once: false });
  expect(service.slept).toEqual([2_000, 500]);
});

test('who is told to come back much later does not wait', async () => {
  const client = await serve(json(429, { code: 'too_many_calls', detail: 'x' }, { 'retry-after': '3600' })).client();
  expect(await exitCodeOf(client.get(question))).toBe(EXIT.unreachable);
  expect(service.slept).toEqual([]);
});

test('other failures of the service are not repeated', async () => {
  const client = await serve(json(503, { code: 'storage_failed', detail: 'x' }), good).client();
  expect(await exitCodeOf(client.get(question))).toBe(EXIT.serviceFailed);
  expect(service.heard).toHaveLength(1);
});

test('asked again with the tag, what has not changed is not sent again', async () => {
  const client = await serve(good, (_, response) => void response.writeHead(304).end()).client();
  const first = await client.getIfChanged(question, undefined);
  expect(first).toEqual({ value: { name: 'alice' }, tag: '"7-x"' });
  expect(await client.getIfChanged(question, first!.tag)).toBeNull();
  expect(service.heard[1]!.headers['if-none-match']).toBe('"7-x"');
});

test.for<[string, RequestListener]>([
  ['something without a name', json(200, {})],
  ['a list', json(200, [])],
  ['no JSON', (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ['a 304 that was not asked for', (_, response) => void response.writeHead(304).end()],
  ['a redirect', (_, response) => void response.writeHead(302, { location: 'https://evil.example' }).end()],
])('%s is no answer', async ([, act]) => {
  const client = await serve(act).client();
  expect(await exitCodeOf(client.get(question))).toBe(EXIT.unreachable);
  expect(service.heard).toHaveLength(1);
});

test('what a newer service adds is kept', async () => {
  const client = await serve(json(200, { name: 'alice', later: [1] })).client();
  expect(await client.get(question)).toEqual({ name: 'alice', later: [1] });
});

test('an answer that breaks off is none', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"name"');
    setTimeout(() => response.destroy(), 5);
  }).client();
  expect(await exitCodeOf(client.get(question))).toBe(EXIT.unreachable);
});
