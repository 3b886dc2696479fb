import { expect, test } from 'vitest';
import { certificateRefused, codeOf } from './unreachable.js';

test.for([
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', true],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', true],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', true],
  ['ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR', true],
  // The network filter's way to deny: then the service knows why.
  ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', false],
  ['ECONNRESET', false],
  ['', false],
] as const)('%j is about the certificate: %s', ([code, isAbout]) => {
  expect(certificateRefused(code) !== null).toBe(isAbout);
});

test('of several addresses that failed the first has the code', () => {
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  expect(codeOf(new AggregateError([refused, new Error('y')]))).toBe('ECONNREFUSED');
  expect(codeOf('a word')).toBe('');
});
