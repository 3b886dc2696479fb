import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Notice } from './notice.js';
import { webhookDelivery } from './webhook.js';

const SECRET = 's'.repeat(32);
const NOW = Date.UTC(2026, 0, 1) + 999;
const notice: Notice = { v: 1, id: '7', kind: 'lock', event: 'lock.created', at: 'x', text: 'grüß' };

interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server that answers as it is told. */
async function target(answer: (response: ServerResponse, heard: Heard) => void) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      heard.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      answer(response, heard.at(-1)!);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?x=1`;
  const deliver = webhookDelivery({ url, secret: SECRET, now: () => NOW, timeoutMs: 300 });
  return { heard, deliver: (signal = new AbortController().signal) => deliver(notice, signal) };
}

test('a notice is posted as JSON, with its id, the time, and a signature over time and body', async () => {
  const { heard, deliver } = await target((response) => response.writeHead(204).end());
  expect(await deliver()).toEqual({ outcome: 'delivered' });
  const [{ method, url, headers, body }] = heard as [Heard];
  expect([method, url, headers['content-type']]).toEqual(['POST', '/hook?x=1', 'application/json']);
  expect(JSON.parse(body)).toEqual(notice);
  const timestamp = String(Math.floor(NOW / 1_000));
  const signed = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
  expect(headers).toMatchObject({
    'portcullis-delivery': '7',
    'portcullis-event': 'lock',
    'portcullis-timestamp': timestamp,
    'portcullis-signature': `v1=${signed}`,
  });
  expect(JSON.stringify(heard)).not.toContain(SECRET);
});

test.for([
  [200, 'delivered'],
  [301, 'failed'],
  [307, 'failed'],
  [400, 'failed'],
  [404, 'failed'],
  [410, 'failed'],
  [408, 'later'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
] as const)('an answer of %i is: %s', async ([status, outcome]) => {
  const { heard, deliver } = await target((response) =>
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(),
  );
  expect(await deliver()).toMatchObject({ outcome });
  expect(heard).toHaveLength(1);
});

test('a redirect is not followed', async () => {
  const other = await target((response) => response.end());
  const { deliver } = await target((response) => response.writeHead(307, { location: '/elsewhere' }).end());
  expect(await deliver()).toEqual({
    outcome: 'failed',
    why: 'answered with 307, and redirects are not followed',
  });
  expect(other.heard).toEqual([]);
});

test('whoever does not answer in time, or never ends, is tried again later', async () => {
  expect(await (await target(() => undefined)).deliver()).toMatchObject({ outcome: 'later' });
  const trickling = await target((response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  expect(await trickling.deliver()).toMatchObject({ outcome: 'later' });
});

test('of a long answer no more is read than it needs', async () => {
  let sent = 0;
  const { deliver } = await target((response) => {
    response.writeHead(200);
    const part = Buffer.alloc(64 * 1024);
    const more = () => {
      sent += part.length;
      if (!response.destroyed) response.write(part, more);
    };
    more();
  });
  expect(await deliver()).toEqual({ outcome: 'delivered' });
  expect(sent).toBeLessThan(20_000_000);
});

test('nobody listening is a matter of time', async () => {
  const deliver = webhookDelivery({ url: 'http://127.0.0.1:1/', secret: SECRET, now: () => NOW });
  expect(await deliver(notice, new AbortController().signal)).toMatchObject({
    outcome: 'later',
    why: expect.stringContaining('ECONNREFUSED') as string,
  });
});
