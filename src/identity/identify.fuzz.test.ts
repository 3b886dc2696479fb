import { sign, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { certificatePem, issueClient, makeCa, newKeys } from '../demo/certificates.js';
import { bitString, sequence } from '../demo/der-writer.js';
import { parseDn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import { partsOf, SUBJECT_KINDS } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';
import { createIdentifier } from './identify.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const now = Date.UTC(2026, 6, 1) as Instant;
const ca = makeCa({ subject: parseDn('CN=ca,O=Acme'), ...span });
const keys = newKeys();
const alice = issueClient(ca, [{ uri: 'spiffe://corp/alice' }], { subject: parseDn('CN=alice'), ...span, keys });
const entry = { name: 'corp' as TrustName, subject: SUBJECT_KINDS, names: null };
const identifier = createIdentifier({ trust: [{ entry, ca: ca.pem }], capacity: 10 });

function subjectOf(der: Uint8Array): string | null {
  const identity = identifier.identifyDer(der, now);
  return 'effect' in identity ? null : identity.subject;
}

/** Some bytes overwritten, one stretch removed, one inserted: each of them perhaps. */
const damage = fc.record({
  writes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
  cut: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 8 }))),
  insert: fc.option(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }))),
});
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

const oneByte = fc.tuple(fc.nat(), fc.nat(255)).map((write): Damage => ({ writes: [write], cut: null, insert: null }));

function damaged(bytes: Uint8Array, { writes, cut, insert }: Damage): Buffer {
  const copy = [...bytes];
  for (const [at, byte] of writes) copy[at % copy.length] = byte;
  if (cut) copy.splice(cut[0] % copy.length, cut[1]);
  if (insert) copy.splice(insert[0] % (copy.length + 1), 0, ...insert[1]);
  return Buffer.from(copy);
}

describe('of a certificate that is not as it was issued nothing is believed', () => {
  test('the certificate itself is', () => {
    expect(subjectOf(alice.der)).toBe('corp/spiffe://corp/alice');
  });

  test('with any one bit flipped', () => {
    const believed = [];
    for (let bit = 0; bit < alice.der.length * 8; bit++) {
      const copy = Buffer.from(alice.der);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      if (subjectOf(copy) !== null) believed.push(bit);
    }
    expect(believed).toEqual([]);
  });

  test('cut short anywhere', () => {
    for (let length = 0; length < alice.der.length; length++)
      expect(subjectOf(alice.der.subarray(0, length))).toBeNull();
  });

  test('as text cut short anywhere but in its last line end', () => {
    for (const text of [alice.pem, encodeURIComponent(alice.pem)]) {
      const whole = text.trimEnd().replace(/%0A$/, '').length;
      for (let length = 0; length < whole; length++)
        expect(identifier.identify(text.slice(0, length), now)).toHaveProperty('effect', 'deny');
    }
  });

  test('damaged at random', () => {
    fc.assert(
      fc.property(damage, (how) => {
        const copy = damaged(alice.der, how);
        const want = copy.equals(alice.der) ? 'corp/spiffe://corp/alice' : null;
        expect(subjectOf(copy)).toBe(want);
      }),
      runs(500),
    );
  });

  test('as text damaged at random', () => {
    fc.assert(
      fc.property(damage, (how) => {
        const text = damaged(Buffer.from(alice.pem), how).toString('latin1');
        const identity = identifier.identify(text, now);
        if ('effect' in identity) return;
        // Line ends may move; nothing else may.
        expect(text.replaceAll(/\s/g, '')).toBe(alice.pem.replaceAll(/\s/g, ''));
      }),
      runs(500),
    );
  });
});

test('whatever our CA signs, two parsers read the same name or there is none', () => {
  const { tbs, algorithm } = readCertificate(alice.der);
  let believed = 0;
  fc.assert(
    fc.property(fc.oneof(damage, oneByte), (how) => {
      const changed = damaged(tbs, how);
      const der = sequence(changed, algorithm, bitString(sign('sha256', changed, ca.keys.privateKey)));
      const identity = identifier.identify(certificatePem(der), now);
      if ('effect' in identity) return;
      believed += 1;
      const { kind, value } = partsOf(identity.subject);
      const names = { uri: `URI:${value}`, dns: `DNS:${value}`, email: `email:${value}`, dn: undefined };
      expect(new X509Certificate(der).subjectAltName).toBe(names[kind]);
    }),
    runs(1_000),
  );
  // A changed serial number, subject or name is still a certificate.
  expect(believed).toBeGreaterThan(2);
});
