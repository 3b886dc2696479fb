import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { issueClient, makeCa, newKeys, type Algorithm, type KeyPair } from '../demo/certificates.js';
import { bitString, oid, sequence } from '../demo/der-writer.js';
import { parseDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';
import { readKey } from './key.js';
import { isSignedBy } from './signature.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const leafKeys = newKeys();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const p256 = newKeys();
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const ed25519 = generateKeyPairSync('ed25519');

/** A leaf that `keys` signed in this way, or as they usually do. */
function leafBy(keys: KeyPair, algorithm?: Algorithm) {
  const ca = makeCa({ subject: parseDn('CN=ca'), ...span, keys });
  const how = algorithm && { algorithm };
  return readCertificate(issueClient(ca, [], { subject: parseDn('CN=alice'), ...span, keys: leafKeys, ...how }).der);
}
const keyOf = ({ publicKey }: KeyPair) => readKey(publicKey.export({ type: 'spki', format: 'der' }));
const rsaWith = (last: number, hash: string): Algorithm => ({
  der: sequence(oid(`1.2.840.113549.1.1.${last}`), Buffer.of(0x05, 0x00)),
  hash,
});
const ecdsaWith = (arc: string, hash: string): Algorithm => ({ der: sequence(oid(`1.2.840.10045.4.${arc}`)), hash });

describe('isSignedBy() believes', () => {
  test.for<[string, KeyPair, Algorithm?]>([
    ['RSA with SHA-256', rsa],
    ['RSA with SHA-384', rsa, rsaWith(12, 'sha384')],
    ['RSA with SHA-512', rsa, rsaWith(13, 'sha512')],
    ['P-256 with SHA-256', p256],
    ['P-256 with SHA-384', p256, ecdsaWith('3.3', 'sha384')],
    ['P-384 with SHA-384', p384],
    ['P-521 with SHA-512', p521],
    ['Ed25519', ed25519],
  ])('%s', ([, keys, algorithm]) => {
    expect(isSignedBy(leafBy(keys, algorithm), keyOf(keys))).toBe(true);
  });

  test.for([
    ['sha256', 32, '01', '20'],
    ['sha384', 48, '02', '30'],
    ['sha512', 64, '03', '40'],
  ] as const)('RSASSA-PSS with %s and a salt of %d bytes', ([hash, saltLength, id, salt]) => {
    const sha = `300d06096086480165030402${id}0500`;
    const parameters = `3034a00f${sha}a11c301a06092a864886f70d010108${sha}a2030201${salt}`;
    const der = sequence(oid('1.2.840.113549.1.1.10'), Buffer.from(parameters, 'hex'));
    const { tbs } = leafBy(rsa, { der, hash });
    const how = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };
    const signedWith = (saltLength: number) =>
      readCertificate(sequence(tbs, der, bitString(sign(hash, tbs, { ...how, saltLength }))));
    expect(isSignedBy(signedWith(saltLength), keyOf(rsa))).toBe(true);
    expect(isSignedBy(signedWith(saltLength - 1), keyOf(rsa))).toBe(false);
  });
});

describe('isSignedBy() does not believe', () => {
  test.for<[string, KeyPair, Algorithm]>([
    ['RSA with SHA-1', rsa, rsaWith(5, 'sha1')],
    ['RSA with MD5', rsa, rsaWith(4, 'md5')],
    ['RSA with SHA-224', rsa, rsaWith(14, 'sha224')],
    ['ECDSA with SHA-1', p256, ecdsaWith('1', 'sha1')],
    ['ECDSA with SHA-224', p256, ecdsaWith('3.1', 'sha224')],
    ['RSA without the NULL of its parameters', rsa, { der: sequence(oid('1.2.840.113549.1.1.11')), hash: 'sha256' }],
    [
      'RSASSA-PSS with parameters left to their defaults, SHA-1',
      rsa,
      { der: sequence(oid('1.2.840.113549.1.1.10'), sequence()), hash: 'sha1' },
    ],
    ['an RSA signature that calls itself ECDSA', rsa, ecdsaWith('3.2', 'sha256')],
    ['an ECDSA signature that calls itself RSA', p256, rsaWith(11, 'sha256')],
    ['an Ed25519 signature that calls itself ECDSA', ed25519, { ...ecdsaWith('3.2', ''), hash: null }],
    ['a hash other than the one that it names', p256, ecdsaWith('3.2', 'sha384')],
  ])('%s', ([, keys, algorithm]) => {
    expect(isSignedBy(leafBy(keys, algorithm), keyOf(keys))).toBe(false);
  });

  test.for<[string, KeyPair, KeyPair]>([
    ['RSA', rsa, otherRsa],
    ['P-256', p256, newKeys()],
    ['Ed25519', ed25519, generateKeyPairSync('ed25519')],
  ])('another key of the same kind: %s', ([, keys, others]) => {
    expect(isSignedBy(leafBy(keys), keyOf(others))).toBe(false);
  });

  test('a signature over other bytes', () => {
    const leaf = leafBy(p256);
    const tbs = Buffer.from(leaf.tbs);
    tbs[tbs.length - 1]! ^= 1;
    expect(isSignedBy({ ...leaf, tbs }, keyOf(p256))).toBe(false);
  });
});
