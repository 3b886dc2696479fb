import { describe, expect, test } from 'vitest';
import type { AltName } from '../demo/certificate-extensions.js';
import { issueClient, makeCa, nameDer, newKeys, type CertificateOptions } from '../demo/certificates.js';
import { string } from '../demo/der-writer.js';
import { parseDn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const keys = newKeys();
const ca = makeCa({ subject: parseDn('CN=ca'), ...span, keys });
const [CN, DC] = ['2.5.4.3', '0.9.2342.19200300.100.1.25'];

const leaf = (over: Partial<CertificateOptions>, names: readonly AltName[] = []) =>
  issueClient(ca, names, { subject: parseDn('CN=alice'), ...span, keys, ...over }).der;

// Row I6: a reader that stops at NUL would see another name.
describe('a control character is refused at every place of every name', () => {
  const NAME = 'ab.example';
  const controls = [...Array(0x20).keys(), 0x7f].map((code) => String.fromCharCode(code));
  const inserted = (control: string, at: number) => NAME.slice(0, at) + control + NAME.slice(at);
  const kinds: readonly [string, (text: string) => Uint8Array][] = [
    ['a URI', (text) => leaf({}, [{ uri: text }])],
    ['a DNS name', (text) => leaf({}, [{ dns: text }])],
    ['an e-mail name', (text) => leaf({}, [{ email: text }])],
    ['the second of two names', (text) => leaf({}, [{ uri: 'spiffe://corp/alice' }, { dns: text }])],
    ['a subject in UTF8String', (text) => leaf({ subject: [[{ type: CN, value: { der: string('utf8', text) } }]] })],
    [
      'a subject in PrintableString',
      (text) => leaf({ subject: [[{ type: CN, value: { der: string('printable', text) } }]] }),
    ],
    [
      'a subject in TeletexString',
      (text) => leaf({ subject: [[{ type: CN, value: { der: string('teletex', text) } }]] }),
    ],
    ['a subject in BMPString', (text) => leaf({ subject: [[{ type: CN, value: { der: string('bmp', text) } }]] })],
    ['a domain component', (text) => leaf({ subject: [[{ type: DC, value: { text } }]] })],
    ['the issuer', (text) => leaf({ raw: { issuer: nameDer([[{ type: CN, value: { text } }]]) } })],
  ];

  test.for(kinds)('%s', ([, make]) => {
    expect(() => readCertificate(make(NAME))).not.toThrow();
    for (let at = 0; at <= NAME.length; at++) {
      for (const control of at === 1 ? controls : ['\0', '\n', '\x7f'])
        expect(() => readCertificate(make(inserted(control, at)))).toThrow(/control character/);
    }
  });

  test.for(kinds.slice(0, 4))('as is a byte above ASCII in %s', ([, make]) => {
    for (let at = 0; at <= NAME.length; at++)
      expect(() => readCertificate(make(inserted('\xe9', at)))).toThrow(/outside ASCII/);
  });
});
