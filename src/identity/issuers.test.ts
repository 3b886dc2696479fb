import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  PURPOSE,
  subjectAltName,
} from '../demo/certificate-extensions.js';
import { certificatePem, issueClient, makeCa, newKeys, type CertificateOptions } from '../demo/certificates.js';
import { parseDn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';
import { createSigners, loadIssuers, TrustError } from './issuers.js';

const corp = 'corp' as TrustName;
const partner = 'partner' as TrustName;
const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const makeNamed = (name: string, over: Partial<CertificateOptions> = {}) =>
  makeCa({ subject: parseDn(name), ...span, ...over });
const ca = makeNamed('CN=ca');
const leafOf = (issuer: typeof ca) => issueClient(issuer, [], { subject: parseDn('CN=alice'), ...span });
const signersOf = (leaf: ReturnType<typeof leafOf>, ...issuers: Parameters<typeof createSigners>[0]) =>
  createSigners(issuers).of(readCertificate(leaf.der));

describe('loadIssuers()', () => {
  test('takes every certificate of a bundle, with text between them', () => {
    const second = makeNamed('CN=second', { validUntil: Date.UTC(2030, 0, 1) as Instant });
    const issuers = loadIssuers(corp, `# our CAs\n${ca.pem}\nsubject=CN = second\n${second.pem}`);
    expect(issuers.map(({ trust, validFrom, validUntil }) => ({ trust, validFrom, validUntil }))).toEqual([
      { trust: corp, ...span },
      { trust: corp, validFrom: span.validFrom, validUntil: Date.UTC(2030, 0, 1) },
    ]);
  });

  test.for<[string, Partial<CertificateOptions>]>([
    ['without key usage', { extensions: [basicConstraints(true)] }],
    [
      'that issues client certificates among others',
      { extensions: [basicConstraints(true), extendedKeyUsage(PURPOSE.server, PURPOSE.client)] },
    ],
    ['that issues anything', { extensions: [basicConstraints(true), extendedKeyUsage('2.5.29.37.0')] }],
    ['with an RSA key', { keys: generateKeyPairSync('rsa', { modulusLength: 2_048 }) }],
    ['with an Ed25519 key', { keys: generateKeyPairSync('ed25519') }],
  ])('takes a CA %s', ([, over]) => {
    expect(loadIssuers(corp, makeNamed('CN=ca', over).pem)).toHaveLength(1);
  });

  const keyPem = ca.keyPem;
  test.for<[string, string, string]>([
    ['an empty file', '', 'the CA file of trust entry "corp" holds no certificate: put'],
    ['a file of text', 'no PEM here', 'the CA file of trust entry "corp" holds no certificate: put'],
    [
      'a key',
      `${ca.pem}${keyPem}`,
      'block 2 of the CA file of trust entry "corp" is no usable CA certificate: it is of type "PRIVATE KEY" and not CERTIFICATE; replace or remove it',
    ],
    [
      'a trusted certificate of OpenSSL',
      ca.pem.replaceAll('CERT', 'TRUSTED CERT'),
      'block 1 of the CA file of trust entry "corp" is no usable CA certificate: it is of type "TRUSTED CERTIFICATE"',
    ],
    [
      'a block cut short',
      `${ca.pem}${ca.pem.slice(0, 200)}`,
      'block 2 of the CA file of trust entry "corp" is no usable CA certificate: it is cut short or not base64',
    ],
    [
      'bytes that are no certificate',
      certificatePem(Buffer.from('hello')),
      'block 1 of the CA file of trust entry "corp" is no usable CA certificate: the certificate is missing or of another type',
    ],
    [
      'a leaf',
      `${ca.pem}${leafOf(ca).pem}`,
      'block 2 of the CA file of trust entry "corp" is no usable CA certificate: "CN=alice" is not a CA',
    ],
    [
      'a certificate without basic constraints',
      makeNamed('CN=x', { extensions: [keyUsage('keyCertSign')] }).pem,
      '"CN=x" is not a CA',
    ],
    [
      'a CA that may not sign certificates',
      makeNamed('CN=x', { extensions: [basicConstraints(true), keyUsage('cRLSign')] }).pem,
      '"CN=x" may not sign certificates (keyUsage lacks keyCertSign)',
    ],
    [
      'a CA for servers only',
      makeNamed('CN=x', { extensions: [basicConstraints(true), extendedKeyUsage(PURPOSE.server)] }).pem,
      '"CN=x" may not issue client certificates (extendedKeyUsage lacks clientAuth)',
    ],
    [
      'a CA that two parsers read differently',
      makeNamed('CN=x', { extensions: [basicConstraints(true), subjectAltName([{ der: Buffer.of(0xa0, 1, 0xff) }])] })
        .pem,
      'two parsers disagree about the CA flag',
    ],
    ['a CA without a name', makeCa({ subject: [], ...span }).pem, 'it has no subject that leaves could name'],
    [
      'a CA with a weak key',
      makeNamed('CN=x', { keys: generateKeyPairSync('rsa', { modulusLength: 1_024 }) }).pem,
      'the public key is of no known kind',
    ],
    [
      'a CA on a curve that is not known',
      makeNamed('CN=x', { keys: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) }).pem,
      'the public key is of no known kind',
    ],
    [
      'a CA with name constraints',
      makeNamed('CN=x', {
        extensions: [basicConstraints(true), { oid: '2.5.29.30', critical: true, value: Buffer.of(0x30, 0) }],
      }).pem,
      'list what the CA may speak for under "names"',
    ],
  ])('refuses %s', ([, bundle, message]) => {
    expect(() => loadIssuers(corp, bundle)).toThrow(TrustError);
    expect(() => loadIssuers(corp, bundle)).toThrow(message);
  });
});

describe('createSigners()', () => {
  const [issuer] = loadIssuers(corp, ca.pem);

  test('finds the CA that signed a leaf', () => {
    expect(signersOf(leafOf(ca), issuer!)).toEqual([issuer]);
  });

  test('tells CAs of one name apart by the signature', () => {
    const [other] = loadIssuers(partner, makeNamed('CN=ca').pem);
    expect(signersOf(leafOf(ca), other!, issuer!)).toEqual([issuer]);
    expect(signersOf(leafOf(ca), other!)).toEqual([]);
  });

  test('believes no key whose CA has another name', () => {
    const [renamed] = loadIssuers(corp, makeNamed('CN=other', { keys: ca.keys }).pem);
    expect(signersOf(leafOf(ca), renamed!)).toEqual([]);
  });

  test('compares names as bytes: the same text in another string type is another name', () => {
    const printable = [[{ type: '2.5.4.3', value: { der: Buffer.from('13026361', 'hex') } }]];
    const [respelt] = loadIssuers(corp, makeCa({ subject: printable, ...span, keys: ca.keys }).pem);
    expect(signersOf(leafOf(ca), respelt!)).toEqual([]);
  });

  test('gives both certificates of a CA that was renewed with its key', () => {
    const renewed = makeNamed('CN=ca', { keys: ca.keys, validUntil: Date.UTC(2030, 0, 1) as Instant });
    const both = loadIssuers(corp, ca.pem + renewed.pem);
    expect(signersOf(leafOf(ca), ...both)).toEqual(both);
  });

  test('takes no leaf for an issuer', () => {
    const alice = leafOf(ca);
    expect(signersOf(leafOf(alice), issuer!)).toEqual([]);
  });

  test('refuses one key in two trust entries, under whatever name', () => {
    const keys = newKeys();
    const ours = loadIssuers(corp, makeNamed('CN=one', { keys }).pem);
    const theirs = loadIssuers(partner, makeNamed('CN=two', { keys }).pem);
    expect(() => createSigners([...ours, ...theirs])).toThrow(
      'trust entries "corp" and "partner" hold the same CA key: remove it from one of them',
    );
    expect(() => createSigners([...ours, ...ours])).not.toThrow();
  });
});
