import { describe, expect, test } from 'vitest';
import { CLIENT_AUTH, type Extensions } from './extensions.js';
import { readCertificate, type Certificate } from './certificate.js';
import { assertClientLeaf } from './leaf.js';
import { issueClient, makeCa } from '../demo/certificates.js';
import { parseDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const ca = makeCa({ subject: parseDn('CN=ca'), ...span });
const alice = readCertificate(issueClient(ca, [], { subject: parseDn('CN=alice'), ...span }).der);
const [SERVER_AUTH, ANY] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

const withUse = (over: Partial<Extensions>): Certificate => ({
  ...alice,
  extensions: { ...alice.extensions, ...over },
});

describe('assertClientLeaf()', () => {
  test.for<[string, Partial<Extensions>]>([
    ['what was issued for a client', {}],
    ['what was issued for client and server', { extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH] }],
    ['what has no key usage', { keyUsage: null }],
    ['what may also agree on keys', { keyUsage: new Set(['digitalSignature', 'keyAgreement']) }],
  ])('takes %s', ([, over]) => {
    expect(() => assertClientLeaf(withUse(over))).not.toThrow();
  });

  test.for<[string, Partial<Extensions>, RegExp]>([
    ['a CA', { ca: true }, /that of a CA/],
    ['a leaf that may sign certificates', { keyUsage: new Set(['digitalSignature', 'keyCertSign']) }, /may sign/],
    ['a leaf that may sign revocation lists', { keyUsage: new Set(['digitalSignature', 'cRLSign']) }, /may sign/],
    ['a leaf that only encrypts', { keyUsage: new Set(['keyEncipherment']) }, /digitalSignature/],
    ['no extended key usage', { extendedKeyUsage: null }, /clientAuth/],
    ['an empty extended key usage', { extendedKeyUsage: [] }, /clientAuth/],
    ["a server's certificate", { extendedKeyUsage: [SERVER_AUTH] }, /clientAuth/],
    ['a certificate for e-mail', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] }, /clientAuth/],
    ['a certificate for everything', { extendedKeyUsage: [ANY] }, /clientAuth/],
    ['one whose usage only begins like clientAuth', { extendedKeyUsage: [`${CLIENT_AUTH}0`] }, /clientAuth/],
  ])('refuses %s', ([, over, why]) => {
    expect(() => assertClientLeaf(withUse(over))).toThrow(why);
  });
});
