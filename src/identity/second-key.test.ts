import { createHash, createPublicKey, ECDH } from 'node:crypto';
import { expect, test } from 'vitest';
import { basicConstraints } from '../demo/certificate-extensions.js';
import { issueClient, makeCa } from '../demo/certificates.js';
import { parseDn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import { SUBJECT_KINDS } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { readCertificate, type Certificate } from './certificate.js';
import { DerReader, TAG } from './der.js';
import { createIdentifier } from './identify.js';

// An ECDSA signature fits two public keys, and whoever sees it can work out both (SEC 1 section 4.1.6). So a partner
// can hand us a CA certificate with our CA's name and a key that has "signed" a leaf of ours.

type Point = readonly [bigint, bigint];

// P-256.
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

const mod = (value: bigint, m: bigint) => ((value % m) + m) % m;

/** By Euclid's algorithm; `m` is prime. */
function inverse(value: bigint, m: bigint): bigint {
  let [a, b, x, y] = [mod(value, m), m, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return mod(x, m);
}

function add(a: Point | null, b: Point | null): Point | null {
  if (!a || !b) return a ?? b;
  if (a[0] === b[0] && mod(a[1] + b[1], P) === 0n) return null;
  const slope =
    a[0] === b[0] ? (3n * a[0] * a[0] - 3n) * inverse(2n * a[1], P) : (b[1] - a[1]) * inverse(b[0] - a[0], P);
  const x = mod(slope * slope - a[0] - b[0], P);
  return [x, mod(slope * (a[0] - x) - a[1], P)];
}

function times(n: bigint, point: Point | null): Point | null {
  if (n === 0n) return null;
  const half = times(n >> 1n, point);
  const even = add(half, half);
  return n & 1n ? add(even, point) : even;
}

const hex32 = (value: bigint) => value.toString(16).padStart(64, '0');

function pointOf(compressed: string): Point {
  const hex = ECDH.convertKey(compressed, 'prime256v1', 'hex', 'hex', 'uncompressed') as string;
  return [BigInt(`0x${hex.slice(2, 66)}`), BigInt(`0x${hex.slice(66)}`)];
}

/** Both keys that the signature fits: (sR - eG) / r for the two points R whose abscissa is r. */
function keysFitting({ tbs, signature }: Certificate) {
  const pair = new DerReader(signature).inside(TAG.sequence, 'the signature');
  const read = (what: string) => BigInt(`0x${Buffer.from(pair.element(TAG.integer, what).contents).toString('hex')}`);
  const [r, s] = [read('r'), read('s')];
  const digest = BigInt(`0x${createHash('sha256').update(tbs).digest('hex')}`);
  return ['02', '03'].map((sign) => {
    const [x, y] = times(inverse(r, N), add(times(s, pointOf(sign + hex32(r))), times(mod(-digest, N), G)))!;
    const jwk = { kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) };
    return createPublicKey({ key: jwk, format: 'jwk' });
  });
}

const base64url = (value: bigint) => Buffer.from(hex32(value), 'hex').toString('base64url');

test('a CA whose key was made to fit a signature of ours cannot claim the leaf', () => {
  const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
  const now = Date.UTC(2026, 6, 1) as Instant;
  const subject = parseDn('CN=ca');
  const ca = makeCa({ subject, ...span });
  const alice = issueClient(ca, [{ uri: 'spiffe://corp/alice' }], { subject: [], ...span });
  const entry = (name: string) => ({ name: name as TrustName, subject: SUBJECT_KINDS, names: null });

  const forged = keysFitting(readCertificate(alice.der)).filter((key) => !key.equals(ca.keys.publicKey));
  expect(forged).toHaveLength(1);
  // Nobody checks who signed a CA certificate: it is trusted because it stands in the file.
  const keys = { publicKey: forged[0]!, privateKey: ca.keys.privateKey };
  const theirs = issueClient(ca, [], { subject, ...span, keys, extensions: [basicConstraints(true)] });

  const [ours, partner] = [
    { entry: entry('corp'), ca: ca.pem },
    { entry: entry('partner'), ca: theirs.pem },
  ];
  const alone = createIdentifier({ trust: [partner], capacity: 1 });
  expect(alone.identify(alice.pem, now)).toMatchObject({ subject: 'partner/spiffe://corp/alice' });
  for (const trust of [
    [ours, partner],
    [partner, ours],
  ]) {
    const both = createIdentifier({ trust, capacity: 1 });
    expect(both.identify(alice.pem, now)).toMatchObject({
      effect: 'deny',
      reason: 'untrusted_issuer',
      message: 'CAs of two trust entries have signed the certificate',
    });
  }
});
