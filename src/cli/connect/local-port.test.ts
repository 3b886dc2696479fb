import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { NearEnd } from './carry.js';
import { openLocalPort, parseListen } from './local-port.js';

test.for([
  ['127.0.0.1:15432', { host: '127.0.0.1', port: 15_432 }],
  ['127.9.9.9:0', { host: '127.9.9.9', port: 0 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['[::1]:1', { host: '::1', port: 1 }],
] as const)('%s is on loopback', ([text, at]) => {
  expect(parseListen(text)).toEqual(at);
});

test.for(['0.0.0.0:1', '10.0.0.7:1', '[::]:1', '[::ffff:127.0.0.1]:1', 'gate.corp:1', '128.0.0.1:1'])(
  '%s is not, and is refused',
  (text) => {
    expect(() => parseListen(text)).toThrow(`--listen: expected an address on loopback, got "${text}"`);
  },
);

test.for(['15432', '127.0.0.1', ':1', '127.0.0.1:65536', ''])('%j is no address', (text) => {
  expect(() => parseListen(text)).toThrow('--listen: expected 127.0.0.1:PORT');
});

test('a port that is taken is told', async () => {
  const first = await openLocalPort({ host: '127.0.0.1', port: 0 }, () => undefined);
  await expect(openLocalPort(first.at, () => undefined)).rejects.toThrow(
    `--listen: cannot listen on 127.0.0.1:${first.at.port}: `,
  );
  first.close();
});

test('a connection is not read before somebody takes it', async () => {
  let hear: (near: NearEnd) => void;
  const accepted = new Promise<NearEnd>((resolve) => {
    hear = resolve;
  });
  const port = await openLocalPort({ host: '127.0.0.1', port: 0 }, (near) => hear(near));
  const socket = connect({ ...port.at }).on('error', () => undefined);
  socket.write('early');
  const near = await accepted;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([near.readable.readableFlowing, near.readable.readableLength]).toEqual([false, 0]);
  near.reset();
  port.close();
});
