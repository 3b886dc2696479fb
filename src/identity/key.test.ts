import { createECDH, createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bitString, element, integer, oid, sequence } from '../demo/der-writer.js';
import { readKey } from './key.js';

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const ec = (namedCurve: string) => spki(generateKeyPairSync('ec', { namedCurve }).publicKey);
const RSA_ENCRYPTION = sequence(oid('1.2.840.113549.1.1.1'), Buffer.of(0x05, 0x00));
/** An RSA key of so many bits; no private key belongs to it. */
const rsa = (bits: number, exponent = 65_537n, algorithm = RSA_ENCRYPTION) =>
  sequence(algorithm, bitString(sequence(integer((1n << BigInt(bits - 1)) | 1n), integer(exponent))));

const P256_CURVE = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
const point = createECDH('prime256v1');
point.generateKeys();

describe('readKey()', () => {
  test.for<[string, () => Buffer, string]>([
    ['RSA of 2048 bits', () => rsa(2_048), 'rsa'],
    ['RSA of 4096 bits', () => rsa(4_096), 'rsa'],
    ['P-256', () => ec('P-256'), 'ec'],
    ['P-384', () => ec('P-384'), 'ec'],
    ['P-521', () => ec('P-521'), 'ec'],
    ['Ed25519', () => spki(generateKeyPairSync('ed25519').publicKey), 'ed25519'],
  ])('takes %s', ([, make, type]) => {
    const bytes = make();
    const key = readKey(bytes);
    expect([key.type, key.digest]).toEqual([type, createHash('sha256').update(bytes).digest('hex')]);
  });

  test.for<[string, () => Buffer]>([
    ['RSA of 2047 bits', () => rsa(2_047)],
    ['RSA of 1024 bits', () => rsa(1_024)],
    ['RSA of 16392 bits', () => rsa(16_392)],
    ['RSA with the exponent 1', () => rsa(2_048, 1n)],
    ['RSA with the exponent 3', () => rsa(2_048, 3n)],
    ['RSA with an even exponent', () => rsa(2_048, 65_538n)],
    ['RSA-PSS', () => rsa(2_048, 65_537n, sequence(oid('1.2.840.113549.1.1.10')))],
    ['secp256k1', () => ec('secp256k1')],
    ['P-224', () => ec('secp224r1')],
    ['Ed448', () => spki(generateKeyPairSync('ed448').publicKey)],
    ['X25519', () => spki(generateKeyPairSync('x25519').publicKey)],
    ['DSA', () => spki(generateKeyPairSync('dsa', { modulusLength: 1_024, divisorLength: 160 }).publicKey)],
    ['nothing', () => Buffer.of()],
    ['no key', () => sequence(P256_CURVE, bitString(Buffer.alloc(65, 4)))],
    ['a key with a byte behind it', () => Buffer.concat([ec('P-256'), Buffer.of(0)])],
    // Two more spellings of a good key: each would give it a second digest.
    ['a compressed point', () => sequence(P256_CURVE, bitString(point.getPublicKey(null, 'compressed')))],
    ['a hybrid point', () => sequence(P256_CURVE, bitString(point.getPublicKey(null, 'hybrid')))],
    ['RSA without parameters', () => rsa(2_048, 65_537n, sequence(oid('1.2.840.113549.1.1.1')))],
    [
      'written-out curve parameters',
      () => spki(generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey),
    ],
    ['an element of another type', () => element(0x31, ec('P-256').subarray(2))],
  ])('refuses %s', ([, make]) => {
    expect(() => readKey(make())).toThrow(/^the public key /);
  });

  test('the uncompressed spelling of the same point is taken', () => {
    expect(readKey(sequence(P256_CURVE, bitString(point.getPublicKey()))).type).toBe('ec');
  });
});
