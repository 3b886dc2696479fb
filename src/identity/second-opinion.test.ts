import { describe, expect, test } from 'vitest';
import { basicConstraints, keyUsage } from '../demo/certificate-extensions.js';
import { issueClient, makeCa, newKeys } from '../demo/certificates.js';
import { parseDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import { readCertificate, type Certificate } from './certificate.js';
import { assertPlatformAgrees } from './second-opinion.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const ca = makeCa({ subject: parseDn('CN=ca'), ...span });
const issue = (over: Partial<Parameters<typeof issueClient>[2]> = {}) =>
  readCertificate(issueClient(ca, [{ uri: 'spiffe://corp/alice' }], { subject: [], ...span, ...over }).der);
const alice = issue();

test.for<[string, Certificate]>([
  ['a leaf', alice],
  ['a CA', readCertificate(ca.der)],
  ['a CA that may not sign certificates', issue({ extensions: [basicConstraints(true), keyUsage('cRLSign')] })],
  ['a CA without key usage', issue({ extensions: [basicConstraints(true)] })],
  ['a leaf without extensions', issue({ extensions: [] })],
  ['the serial number zero', issue({ serial: 0n })],
  ['a serial number of 20 bytes', issue({ serial: (1n << 159n) - 1n })],
  ['an end in 9999', issue({ validUntil: Date.UTC(9999, 11, 31, 23, 59, 59) as Instant })],
  ['a start in 1950', issue({ validFrom: Date.UTC(1950, 0, 1) as Instant })],
])('both parsers read %s alike', ([, certificate]) => {
  expect(() => assertPlatformAgrees(certificate)).not.toThrow();
});

describe('a disagreement refuses the certificate', () => {
  test.for<[string, Partial<Certificate>]>([
    ['the start of validity', { notBefore: (alice.notBefore - 1_000) as Instant }],
    ['the end of validity', { notAfter: (alice.notAfter + 1_000) as Instant }],
    ['the serial number', { serial: `${alice.serial}00` }],
    ['the CA flag', { extensions: { ...alice.extensions, ca: true, keyUsage: null } }],
    ['whether there are alternative names', { extensions: { ...alice.extensions, names: null } }],
    ['the public key', { spki: newKeys().publicKey.export({ type: 'spki', format: 'der' }) }],
    ['its encoding', { der: Buffer.concat([alice.der, Buffer.of(0)]) }],
  ])('about %s', ([what, over]) => {
    expect(() => assertPlatformAgrees({ ...alice, ...over })).toThrow(`two parsers disagree about ${what}`);
  });
});

test('alternative names that only one parser can read are a disagreement', () => {
  const names = [{ uri: 'spiffe://corp/alice' }, { der: Buffer.of(0xa0, 1, 0xff) }];
  const broken = readCertificate(issueClient(ca, names, { subject: [], ...span }).der);
  expect(broken.extensions.names).toMatchObject({ uri: ['spiffe://corp/alice'], others: 1 });
  expect(() => assertPlatformAgrees(broken)).toThrow('two parsers disagree about whether there are alternative names');
});

test('what the platform cannot read is refused', () => {
  expect(() => assertPlatformAgrees({ ...alice, der: alice.der.subarray(0, 100) })).toThrow(
    'the platform cannot read the certificate',
  );
});
