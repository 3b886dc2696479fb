import { describe, expect, test } from 'vitest';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  PURPOSE,
  subjectAltName,
  type AltName,
  type Extension,
} from '../demo/certificate-extensions.js';
import { issueClient, makeCa, nameDer, newKeys, type CertificateOptions } from '../demo/certificates.js';
import {
  boolean,
  bitString,
  context,
  element,
  integer,
  octetString,
  oid,
  sequence,
  string,
  time,
} from '../demo/der-writer.js';
import { parseDn, printDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';
import { CertificateError } from './der.js';

const validFrom = Date.UTC(2026, 0, 1) as Instant;
const validUntil = Date.UTC(2027, 0, 1) as Instant;
const keys = newKeys();
const ca = makeCa({ subject: parseDn('CN=ca,O=Acme'), validFrom, validUntil, keys });

/** alice's certificate; a test names only what matters to it. */
const alice = (over: Partial<CertificateOptions> = {}, names: readonly AltName[] = [{ uri: 'spiffe://corp/alice' }]) =>
  issueClient(ca, names, { subject: parseDn('CN=alice'), validFrom, validUntil, keys, ...over }).der;
const read = (...args: Parameters<typeof alice>) => readCertificate(alice(...args));
const withRaw = (raw: CertificateOptions['raw']) => alice(raw && { raw });
const withExtensions = (...extensions: readonly Extension[]) => alice({ extensions });
const unknown = (critical: boolean): Extension => ({ oid: '1.2.3.4', critical, value: Buffer.of(0x05, 0x00) });
const san = (...names: readonly Uint8Array[]): Extension => ({
  oid: '2.5.29.17',
  critical: false,
  value: sequence(...names),
});
const [CN, DC] = ['2.5.4.3', '0.9.2342.19200300.100.1.25'];
const part = (type: string, value: Uint8Array) => sequence(oid(type), value);

describe('readCertificate() reads', () => {
  test('every field', () => {
    const der = alice({ serial: 0x80_01n }, [
      { uri: 'spiffe://corp/alice' },
      { dns: 'a.example' },
      { dns: 'b.example' },
      { email: 'a@example.com' },
      { ip: Buffer.of(10, 0, 0, 1) },
      { der: context(4, nameDer(parseDn('CN=x'))) },
      { der: element(0x88, Buffer.of(0x2a)) },
    ]);
    const { issuer, subject, spki, tbs, algorithm, signature, ...rest } = readCertificate(der);
    expect(rest).toEqual({
      der,
      serial: '8001',
      notBefore: validFrom,
      notAfter: validUntil,
      extensions: {
        ca: false,
        keyUsage: new Set(['digitalSignature']),
        extendedKeyUsage: [PURPOSE.client],
        names: {
          uri: ['spiffe://corp/alice'],
          dns: ['a.example', 'b.example'],
          email: ['a@example.com'],
          others: 3,
        },
      },
    });
    expect(printDn(issuer.dn)).toBe('CN=ca,O=Acme');
    expect(Buffer.from(issuer.der)).toEqual(nameDer(ca.subject));
    expect(printDn(subject.dn)).toBe('CN=alice');
    expect(Buffer.from(spki)).toEqual(keys.publicKey.export({ type: 'spki', format: 'der' }));
    expect(sequence(tbs, algorithm, bitString(signature))).toEqual(der);
  });

  test('a CA', () => {
    const { extensions } = readCertificate(ca.der);
    expect(extensions.ca).toBe(true);
    expect(extensions.keyUsage).toEqual(new Set(['keyCertSign', 'cRLSign']));
  });

  test('a certificate without extensions as one that says nothing', () => {
    expect(read({ extensions: [] }).extensions).toEqual({
      names: null,
      ca: false,
      keyUsage: null,
      extendedKeyUsage: null,
    });
  });

  test('an extension that it does not know, as long as it is not critical', () => {
    expect(readCertificate(withExtensions(unknown(false))).extensions.names).toBeNull();
  });

  test('the default of a flag that an issuer has written out', () => {
    const written = sequence(oid('2.5.29.19'), boolean(false), octetString(sequence(boolean(false))));
    expect(readCertificate(withRaw({ extensions: context(3, sequence(written)) })).extensions.ca).toBe(false);
  });

  test('an unknown extension that is written out as not critical', () => {
    const written = sequence(oid('1.2.3.4'), boolean(false), octetString(Buffer.of(0x05, 0x00)));
    expect(() => readCertificate(withRaw({ extensions: context(3, sequence(written)) }))).not.toThrow();
  });

  test('a path length beside the CA flag', () => {
    expect(readCertificate(withExtensions(basicConstraints(true, 0))).extensions.ca).toBe(true);
  });

  test('a key usage of nine bits', () => {
    const value = bitString(Buffer.of(0x80, 0x80), 7);
    const { keyUsage } = readCertificate(withExtensions({ oid: '2.5.29.15', critical: true, value })).extensions;
    expect(keyUsage).toEqual(new Set(['digitalSignature', 'decipherOnly']));
  });

  test('no end of validity as the year 9999', () => {
    const end = Date.UTC(9999, 11, 31, 23, 59, 59) as Instant;
    expect(read({ validUntil: end }).notAfter).toBe(end);
  });

  test.for([
    ['UTF8String', string('utf8', 'é'), 'CN=\\C3\\A9'],
    ['PrintableString', string('printable', 'a'), 'CN=a'],
    ['BMPString', string('bmp', 'a'), 'CN=#1e020061'],
    ['TeletexString', string('teletex', 'a'), 'CN=#140161'],
    ['IA5String', string('ia5', 'a'), 'CN=#160161'],
  ] as const)('a name in %s', ([, value, want]) => {
    expect(printDn(read({ subject: [[{ type: CN, value: { der: value } }]] }).subject.dn)).toBe(want);
  });

  test('a domain component in IA5String as text', () => {
    expect(printDn(read({ subject: [[{ type: DC, value: { text: 'corp' } }]] }).subject.dn)).toBe('DC=corp');
  });

  test('a part of a name with two attributes', () => {
    expect(printDn(read({ subject: parseDn('CN=a+OU=b') }).subject.dn)).toBe('CN=a+OU=b');
  });
});

const CERTIFICATE = alice();
const PLAIN = sequence(oid('1.2.3.4'), octetString(Buffer.of()));
const rewrapped = (...parts: readonly Uint8Array[]) => {
  const { tbs, algorithm, signature } = readCertificate(CERTIFICATE);
  return sequence(tbs, algorithm, bitString(signature), ...parts);
};

test.for<[string, () => Uint8Array]>([
  ['nothing', () => Buffer.of()],
  ['a byte behind the certificate', () => Buffer.concat([CERTIFICATE, Buffer.of(0)])],
  ['two certificates', () => Buffer.concat([CERTIFICATE, CERTIFICATE])],
  ['a fourth part', () => rewrapped(integer(1n))],
  ['a missing signature', () => sequence(readCertificate(CERTIFICATE).tbs, readCertificate(CERTIFICATE).algorithm)],
  [
    'a signature that is no whole number of bytes',
    () =>
      sequence(readCertificate(CERTIFICATE).tbs, readCertificate(CERTIFICATE).algorithm, bitString(Buffer.of(0x80), 7)),
  ],
  ['another algorithm outside than inside', () => withRaw({ algorithm: sequence(oid('1.2.840.10045.4.3.3')) })],
  ['version 1 without a version', () => withRaw({ version: Buffer.of() })],
  ['version 1 written out', () => withRaw({ version: context(0, integer(0n)) })],
  ['version 2', () => withRaw({ version: context(0, integer(1n)) })],
  ['version 4', () => withRaw({ version: context(0, integer(3n)) })],
  ['two versions', () => withRaw({ version: context(0, integer(2n), integer(2n)) })],
  ['a negative serial number', () => withRaw({ serial: element(0x02, Buffer.of(0x80)) })],
  ['a serial number of 21 bytes', () => alice({ serial: 1n << 160n })],
  ['no serial number', () => withRaw({ serial: Buffer.of() })],
  ['no issuer', () => withRaw({ issuer: Buffer.of() })],
  ['no validity', () => withRaw({ validity: Buffer.of() })],
  ['no end of validity', () => withRaw({ validity: sequence(time(validFrom)) })],
  ['a third time', () => withRaw({ validity: sequence(time(validFrom), time(validUntil), time(validUntil)) })],
  ['a time of another type', () => withRaw({ validity: sequence(time(validFrom), string('utf8', '270101000000Z')) })],
  [
    'a time with an offset',
    () => withRaw({ validity: sequence(time(validFrom), element(0x17, Buffer.from('270101000000+0100'))) }),
  ],
  [
    'a time before 2050 with a year of four digits',
    () => withRaw({ validity: sequence(time(validFrom), element(0x18, Buffer.from('20270101000000Z'))) }),
  ],
  ['no public key', () => withRaw({ publicKey: Buffer.of() })],
  [
    'an issuer unique id',
    () =>
      withRaw({
        publicKey: Buffer.concat([
          keys.publicKey.export({ type: 'spki', format: 'der' }),
          element(0x81, Buffer.of(0, 1)),
        ]),
      }),
  ],
  ['an empty list of extensions', () => withRaw({ extensions: context(3, sequence()) })],
  ['two lists of extensions', () => withRaw({ extensions: context(3, sequence(PLAIN), sequence(PLAIN)) })],
  [
    'something behind the extensions',
    () => withRaw({ extensions: Buffer.concat([context(3, sequence(PLAIN)), Buffer.of(5, 0)]) }),
  ],
  [
    'something behind the value of an extension',
    () =>
      withRaw({ extensions: context(3, sequence(sequence(oid('1.2.3.4'), octetString(Buffer.of()), integer(1n)))) }),
  ],
  ['an unknown critical extension', () => withExtensions(unknown(true))],
  ['an unknown extension twice', () => withExtensions(unknown(false), unknown(false))],
  ['alternative names twice', () => withExtensions(subjectAltName([{ dns: 'a' }]), subjectAltName([{ dns: 'a' }]))],
  ['basic constraints twice', () => withExtensions(basicConstraints(false), basicConstraints(true))],
  ['name constraints', () => withExtensions({ oid: '2.5.29.30', critical: false, value: sequence() })],
  ['critical name constraints', () => withExtensions({ oid: '2.5.29.30', critical: true, value: sequence() })],
  ['critical policies', () => withExtensions({ oid: '2.5.29.32', critical: true, value: sequence() })],
  ['no alternative name', () => withExtensions(subjectAltName([]))],
  ['an alternative name of an unknown type', () => withExtensions(san(element(0x89, Buffer.of(1))))],
  ['an alternative name of a universal type', () => withExtensions(san(string('ia5', 'spiffe://corp/alice')))],
  ['a constructed URI', () => withExtensions(san(element(0xa6, string('ia5', 'spiffe://corp/alice'))))],
  ['a directory name that is primitive', () => withExtensions(san(element(0x84, Buffer.of(0x30, 0))))],
  [
    'something behind the alternative names',
    () =>
      withExtensions({ ...san(), value: Buffer.concat([sequence(element(0x82, Buffer.from('a'))), Buffer.of(5, 0)]) }),
  ],
  [
    'a CA flag of 01',
    () => withExtensions({ ...basicConstraints(true), value: sequence(element(0x01, Buffer.of(1))) }),
  ],
  [
    'a negative path length',
    () => withExtensions({ ...basicConstraints(true), value: sequence(boolean(true), element(0x02, Buffer.of(0xff))) }),
  ],
  [
    'something behind the path length',
    () => withExtensions({ ...basicConstraints(true), value: sequence(boolean(true), integer(0n), integer(0n)) }),
  ],
  ['a key usage of nothing', () => withExtensions(keyUsage())],
  ['an extended key usage of nothing', () => withExtensions(extendedKeyUsage())],
  [
    'an extended key usage that is no list',
    () => withExtensions({ ...extendedKeyUsage(), value: oid(PURPOSE.client) }),
  ],
  ['an empty part of a name', () => withRaw({ subject: sequence(element(0x31)) })],
  ['a sequence in place of a set', () => withRaw({ subject: sequence(sequence(part(CN, string('utf8', 'a')))) })],
  [
    'an attribute twice in a part',
    () => withRaw({ subject: sequence(element(0x31, part(CN, string('utf8', 'a')), part(CN, string('utf8', 'a')))) }),
  ],
  [
    'a set out of order',
    () => withRaw({ subject: sequence(element(0x31, part(CN, string('utf8', 'b')), part(CN, string('utf8', 'a')))) }),
  ],
  [
    'an attribute with two values',
    () => withRaw({ subject: sequence(element(0x31, sequence(oid(CN), string('utf8', 'a'), string('utf8', 'b')))) }),
  ],
  ['an attribute without a value', () => withRaw({ subject: sequence(element(0x31, sequence(oid(CN)))) })],
  [
    'a name that is not UTF-8',
    () => withRaw({ subject: sequence(element(0x31, part(CN, element(0x0c, Buffer.of(0xc3))))) }),
  ],
  [
    'overlong UTF-8',
    () => withRaw({ subject: sequence(element(0x31, part(CN, element(0x0c, Buffer.of(0xc0, 0xaf))))) }),
  ],
])('readCertificate() refuses %s', ([, make]) => {
  expect(() => readCertificate(make())).toThrow(CertificateError);
});

test('what was refused above is taken without its fault', () => {
  expect(() => readCertificate(rewrapped())).not.toThrow();
  expect(() => readCertificate(withRaw({ extensions: context(3, sequence(PLAIN)) }))).not.toThrow();
  expect(() => readCertificate(alice({ serial: (1n << 159n) - 1n }))).not.toThrow();
  expect(() =>
    readCertificate(withRaw({ subject: sequence(element(0x31, part(CN, string('utf8', 'a')))) })),
  ).not.toThrow();
});

test('every truncation is refused', () => {
  for (let length = 0; length < CERTIFICATE.length; length++)
    expect(() => readCertificate(CERTIFICATE.subarray(0, length))).toThrow(CertificateError);
});
