import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { parseDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import { issueClient, issueServer, makeCa, type Credential } from './certificates.js';

const missing = spawnSync('openssl', ['version']).status !== 0;

// Node's TLS judges by the real clock, so these certificates are valid now.
const day = 86_400_000;
const span = { validFrom: (Date.now() - day) as Instant, validUntil: (Date.now() + day) as Instant };
const ca = makeCa({ subject: parseDn('CN=Demo CA,O=Acme'), ...span });
const server = issueServer(ca, [{ dns: 'localhost' }], { subject: parseDn('CN=localhost'), ...span });
const alice = issueClient(ca, [{ uri: 'spiffe://demo/alice' }], { subject: parseDn('CN=alice,O=Acme'), ...span });

describe('a handshake in which both sides show a certificate', () => {
  /** What the server thinks of the client; the client has already accepted the server. */
  async function handshake(
    client: Credential,
  ): Promise<{ readonly authorized: boolean; readonly names: string | undefined }> {
    const listener = tls.createServer({
      cert: server.pem,
      key: server.keyPem,
      ca: ca.pem,
      requestCert: true,
      rejectUnauthorized: false,
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
    const socket = tls.connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: ca.pem,
      cert: client.pem,
      key: client.keyPem,
    });
    try {
      await once(socket, 'secureConnect');
      const [peer] = await accepted;
      return { authorized: peer.authorized, names: peer.getPeerX509Certificate()?.subjectAltName };
    } finally {
      socket.destroy();
      listener.close();
    }
  }

  test('succeeds with certificates of one CA', async () => {
    expect(await handshake(alice)).toEqual({ authorized: true, names: 'URI:spiffe://demo/alice' });
  });

  test('does not with a client of another CA of the same name', async () => {
    const other = makeCa({ subject: ca.subject, ...span });
    const mallory = issueClient(other, [{ uri: 'spiffe://demo/alice' }], { subject: [], ...span });
    expect((await handshake(mallory)).authorized).toBe(false);
  });

  test('does not with a certificate that was issued for a server', async () => {
    expect((await handshake(server)).authorized).toBe(false);
  });
});

test('a certificate says what was asked for', () => {
  const {
    subject,
    subjectAltName,
    serialNumber,
    validFrom,
    validTo,
    ca: isCa,
  } = new X509Certificate(
    issueClient(ca, [{ dns: 'a.example' }, { email: 'a@example.com' }, { ip: Buffer.of(10, 0, 0, 1) }], {
      subject: parseDn('CN=alice,O=Acme'),
      validFrom: Date.UTC(2026, 0, 1) as Instant,
      validUntil: Date.UTC(2051, 0, 1) as Instant,
      serial: 0xabcdn,
    }).der,
  );
  expect({ subject, subjectAltName, serialNumber, validFrom, validTo, isCa }).toEqual({
    subject: 'O=Acme\nCN=alice',
    subjectAltName: 'DNS:a.example, email:a@example.com, IP Address:10.0.0.1',
    serialNumber: 'ABCD',
    validFrom: 'Jan  1 00:00:00 2026 GMT',
    validTo: 'Jan  1 00:00:00 2051 GMT',
    isCa: false,
  });
});

test('two certificates of the same wish have different serial numbers and keys', () => {
  const [one, two] = [ca, makeCa({ subject: ca.subject, ...span })].map(({ der }) => new X509Certificate(der));
  expect(one!.serialNumber).not.toBe(two!.serialNumber);
  expect(one!.publicKey.equals(two!.publicKey)).toBe(false);
});

test('the private key belongs to the certificate', () => {
  expect(new X509Certificate(alice.pem).checkPrivateKey(createPrivateKey(alice.keyPem))).toBe(true);
});

describe.skipIf(missing)(`OpenSSL${missing ? ' (skipped: there is no openssl command)' : ''}`, () => {
  test.for([
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
  ] as const)('prints a certificate signed with %s and verifies it', ([, newKeys]) => {
    const root = makeCa({ subject: parseDn('CN=root'), ...span, keys: newKeys() });
    const leaf = issueClient(root, [{ uri: 'spiffe://demo/alice' }], { subject: parseDn('CN=alice'), ...span });
    const text = spawnSync('openssl', ['x509', '-text', '-noout'], { input: leaf.pem, encoding: 'utf8' });
    expect(text.stderr).toBe('');
    expect(text.stdout).toContain('URI:spiffe://demo/alice');
    expect(text.stdout).toContain('TLS Web Client Authentication');
    expect(text.stdout).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    const platform = new X509Certificate(leaf.pem);
    expect(platform.verify(root.keys.publicKey)).toBe(true);
    expect(platform.checkIssued(new X509Certificate(root.pem))).toBe(true);
  });
});
