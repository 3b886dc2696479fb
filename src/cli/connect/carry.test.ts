import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { carry, type FarEnded } from './carry.js';

/** A client, a server, and between them what is carried. */
async function carried() {
  const [client, near] = await pair();
  const [server, far] = await pair();
  const told: FarEnded[] = [];
  const over = carry(
    { readable: near, writable: near, reset: () => void near.resetAndDestroy() },
    far,
    (ended) => void told.push(ended),
  );
  return { client, near, server, told, over, far };
}

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** The two ends of one connection. Either may end before the other. */
async function pair(): Promise<[Socket, Socket]> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const one = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [other] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  open.push(one, other);
  for (const socket of [one, other]) socket.on('error', () => undefined);
  return [one, other];
}

/** What comes until the end. Leaves the other direction open. */
async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString()));
  await once(socket, 'end');
  return text;
}

test('a client that has ended still gets the answer, and nothing is told of an end that it waited for', async () => {
  const { client, server, told, over } = await carried();
  client.end('question');
  expect(await textOf(server)).toBe('question');
  server.end('answer');
  expect(await textOf(client)).toBe('answer');
  await over;
  expect(told).toEqual([{ isAwaited: true, received: 6, broken: null }]);
});

test('a server that has ended still gets what the client sends, and its end is told at once', async () => {
  const { client, server, told, over } = await carried();
  server.end('banner');
  expect(await textOf(client)).toBe('banner');
  expect(told).toEqual([{ isAwaited: false, received: 6, broken: null }]);
  client.end('last words');
  expect(await textOf(server)).toBe('last words');
  await over;
  expect(told).toHaveLength(1);
});

test('what breaks on the way does not look like the end to the client', async () => {
  const { client, server, told, over } = await carried();
  server.write('half of it');
  await once(client, 'data');
  const closed = new Promise((resolve) => client.once('error', resolve));
  server.resetAndDestroy();
  expect(await closed).toMatchObject({ code: 'ECONNRESET' });
  await over;
  expect(told).toEqual([{ isAwaited: false, received: 10, broken: 'ECONNRESET' }]);
});

test('what only says that it is broken, as TLS does after an alert, is closed', async () => {
  const { client, far, told, over } = await carried();
  const closed = new Promise((resolve) => client.once('error', resolve));
  far.emit('error', Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED' }));
  await over;
  await closed;
  expect(told).toEqual([{ isAwaited: false, received: 0, broken: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED' }]);
});

test('a client that is gone ends the session, and nothing is told', async () => {
  const { client, server, told, over } = await carried();
  client.write('x');
  await once(server, 'data');
  const gone = new Promise((resolve) => server.once('end', resolve).resume());
  client.resetAndDestroy();
  await Promise.all([over, gone]);
  expect(told).toEqual([]);
});

test('a session that is ended on this side ends for the server', async () => {
  const { near, server, told, over } = await carried();
  const gone = new Promise((resolve) => server.once('end', resolve).resume());
  near.destroy();
  await Promise.all([over, gone]);
  expect(told).toEqual([]);
});

test('a client that does not read holds up the server', async () => {
  const { client, server, far, over } = await carried();
  const chunk = Buffer.alloc(1_000_000, 'x');
  let written = 0;
  const more = () => {
    while (written < 200_000_000 && server.write(chunk)) written += chunk.length;
  };
  server.on('drain', more);
  more();
  let last = -1;
  while (last !== far.bytesRead) {
    last = far.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(far.bytesRead).toBeLessThan(40_000_000);
  client.destroy();
  server.destroy();
  await over;
});
