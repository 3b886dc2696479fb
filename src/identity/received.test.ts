import { expect, test } from 'vitest';
import { certificatePem } from '../demo/certificates.js';
import { CertificateError } from './der.js';
import { decodeReceived } from './received.js';

// Bytes whose base64 has all the characters that Envoy encodes: plus, slash, equals sign, line ends.
const der = Buffer.concat([Buffer.from('fbefbeffff', 'hex'), Buffer.alloc(60, 0xfb)]);
const pem = certificatePem(der);
/** What Envoy does to a PEM text, and no more. */
const asEnvoy = (text: string) =>
  text
    .replaceAll('\n', '%0A')
    .replaceAll(' ', '%20')
    .replaceAll('+', '%2B')
    .replaceAll('/', '%2F')
    .replaceAll('=', '%3D');

test.for<[string, string]>([
  ['plain', pem],
  ['as Envoy sends it', asEnvoy(pem)],
  ['wholly URL-encoded', encodeURIComponent(pem)],
  ['with carriage returns', pem.replaceAll('\n', '\r\n')],
  ['without a last line end', pem.trimEnd()],
  ['with blank lines behind', `${pem}\n\n`],
])('reads a certificate %s', ([, text]) => {
  expect(Buffer.from(decodeReceived(text)).equals(der)).toBe(true);
});

test.for<[string, string]>([
  ['two certificates', pem + pem],
  ['two certificates as Envoy would send them', asEnvoy(pem + pem)],
  ['text in front', `CN=alice\n${pem}`],
  ['a blank line in front', `\n${pem}`],
  ['text behind', `${pem}x`],
  ['a key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
  ['another kind of certificate', pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')],
  ['no begin', pem.replace('-----BEGIN CERTIFICATE-----\n', '')],
  ['no end', pem.replace('-----END CERTIFICATE-----\n', '')],
  ['bare base64', der.toString('base64')],
  ['a broken percent code', asEnvoy(pem).replace('%0A', '%0')],
  ['a percent code that is not UTF-8', asEnvoy(pem).replace('%0A', '%FF')],
  ['two layers of encoding', encodeURIComponent(asEnvoy(pem))],
  ['plus for space', asEnvoy(pem).replaceAll('%20', '+')],
  ['a NUL inside', pem.replace('+', '+\0')],
  ['a space inside', pem.replace('+', '+ ')],
  ['no padding', pem.replaceAll('=', '')],
  ['nothing', ''],
  ['nothing between begin and end', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
])('refuses %s', ([, text]) => {
  expect(() => decodeReceived(text)).toThrow(CertificateError);
});
