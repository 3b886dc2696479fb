import { Client, credentials, Metadata, ServerCredentials, status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, serverOf, testCa } from '../../test/pki.js';
import type { Credential } from '../demo/certificates.js';
import { parseSubjectPattern } from '../domain/subject-pattern.js';
import { plainDeny } from './answer.js';
import { serveAuthz } from './server.js';

const ca = testCa('mesh');

/** Serves with mutual TLS to one Envoy by name, and tells what a caller with these credentials gets. */
async function callWith(peer: Credential | null, names = ['spiffe://mesh/envoy']) {
  const server = serverOf(ca);
  const listener = {
    target: '127.0.0.1:0',
    credentials: ServerCredentials.createSsl(pem(ca), [{ cert_chain: pem(server), private_key: key(server) }], true),
    peers: names.map(parseSubjectPattern),
  };
  const authz = await serveAuthz(listener, () => plainDeny('no_grant'), { alarm: () => {} });
  const client = new Client(
    `localhost:${authz.port}`,
    credentials.createSsl(pem(ca), peer && key(peer), peer && pem(peer)),
  );
  onTestFinished(async () => {
    client.close();
    await authz.close(0);
  });
  return new Promise<number>((resolve) => {
    const same = (bytes: Buffer) => bytes;
    const path = '/envoy.service.auth.v3.Authorization/Check';
    client.makeUnaryRequest(
      path,
      same,
      same,
      Buffer.alloc(0),
      new Metadata(),
      { deadline: Date.now() + 3_000 },
      (error) => resolve(error?.code ?? status.OK),
    );
  });
}

test('the Envoy that is named may call', async () => {
  expect(await callWith(clientOf(ca, 'spiffe://mesh/envoy'))).toBe(status.OK);
});

test('a pattern names many; without names all that the handshake lets through may call', async () => {
  expect(await callWith(clientOf(ca, 'spiffe://mesh/ns/edge'), ['spiffe://mesh/ns/*'])).toBe(status.OK);
  expect(await callWith(clientOf(ca, 'spiffe://mesh/other'), [])).toBe(status.OK);
});

test('another certificate of the same CA may not', async () => {
  expect(await callWith(clientOf(ca, 'spiffe://mesh/other'))).toBe(status.UNAUTHENTICATED);
});

test('a certificate of another CA with the right name does not get through the handshake, nor does none', async () => {
  const other = testCa('mesh');
  expect(await callWith(clientOf(other, 'spiffe://mesh/envoy'))).toBe(status.UNAVAILABLE);
  expect(await callWith(null)).toBe(status.UNAVAILABLE);
});

function pem(of: Credential): Buffer {
  return Buffer.from(of.pem);
}

function key(of: Credential): Buffer {
  return Buffer.from(of.keyPem);
}
