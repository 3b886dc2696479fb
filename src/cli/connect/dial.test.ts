import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { clientOf, serverOf, testCa } from '../../../test/pki.js';
import { dial } from './dial.js';
import { codeOf } from './unreachable.js';
import type { Way } from './way.js';

const ca = testCa();
const { pem, keyPem } = serverOf(ca, 'db.corp');
const alice = clientOf(ca, 'spiffe://corp/alice');

/** Stands where Envoy stands: shows a certificate, and wants one. */
async function listener() {
  const taken: TLSSocket[] = [];
  const server = createServer(
    { cert: pem, key: keyPem, ca: ca.pem, requestCert: true, allowHalfOpen: true },
    (socket) => {
      socket.on('error', () => undefined);
      taken.push(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of taken) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const way: Way = { host: '127.0.0.1', port, name: '127.0.0.1', ca: ca.pem, cert: alice.pem, key: alice.keyPem };
  return { way, server };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test('both sides show their certificates, and a host name is asked for by SNI', async () => {
  const { way, server } = await listener();
  const [[socket], far] = await Promise.all([
    once(server, 'secureConnection') as Promise<[TLSSocket]>,
    dial({ ...way, name: 'db.corp' }),
  ]);
  expect(socket.getPeerCertificate().subjectaltname).toBe('URI:spiffe://corp/alice');
  expect((socket as unknown as { servername: unknown }).servername).toBe('db.corp');
  far.destroy();
});

test('an address is no name to ask for', async () => {
  const { way, server } = await listener();
  const [[socket], far] = await Promise.all([once(server, 'secureConnection') as Promise<[TLSSocket]>, dial(way)]);
  expect((socket as unknown as { servername: unknown }).servername).toBe(false);
  far.destroy();
});

test.for<[string, (way: Way) => Way, string]>([
  ['of another name', (way) => ({ ...way, name: 'other.corp' }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['for another address', (way) => ({ ...way, name: '127.0.0.2' }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['of another CA', (way) => ({ ...way, ca: testCa('other').pem }), 'SELF_SIGNED_CERT_IN_CHAIN'],
])('a certificate %s is not taken', async ([, change, code]) => {
  const { way } = await listener();
  const error: unknown = await dial(change(way)).catch((cause: unknown) => cause);
  expect(codeOf(error)).toBe(code);
});

test('what the far side has ended still takes what is sent', async () => {
  const { way, server } = await listener();
  const [[socket], far] = await Promise.all([once(server, 'secureConnection') as Promise<[TLSSocket]>, dial(way)]);
  socket.end('banner');
  far.resume();
  await once(far, 'end');
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString()));
  far.end('last words');
  await once(socket, 'end');
  expect(text).toBe('last words');
});
