import { describe, expect, test } from 'vitest';
import { decodeBase64, pemBlocks } from './pem.js';

const block = (label: string, content: string) => `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;

describe('pemBlocks()', () => {
  test('finds every block in order, whatever stands between', () => {
    const text = `subject=CN = a\n${block('CERTIFICATE', 'AAEC')}\nnote\r\n${block('PRIVATE KEY', 'AwQF')}`;
    expect(pemBlocks(text)).toEqual([
      { label: 'CERTIFICATE', der: Buffer.of(0, 1, 2) },
      { label: 'PRIVATE KEY', der: Buffer.of(3, 4, 5) },
    ]);
  });

  test('reads lines of any length and either line end', () => {
    expect(pemBlocks('-----BEGIN X-----\r\nAA\r\nEC\r\n-----END X-----\r\n')).toEqual([
      { label: 'X', der: Buffer.of(0, 1, 2) },
    ]);
  });

  test.for<[string, string]>([
    ['no end', '-----BEGIN CERTIFICATE-----\nAAEC\n'],
    ['another end', '-----BEGIN CERTIFICATE-----\nAAEC\n-----END PRIVATE KEY-----\n'],
    ['a space behind the first line', '-----BEGIN CERTIFICATE----- \nAAEC\n-----END CERTIFICATE-----\n'],
    ['four hyphens', '-----BEGIN CERTIFICATE----\nAAEC\n-----END CERTIFICATE-----\n'],
    ['no base64', block('CERTIFICATE', 'AA!C')],
    ['headers', block('CERTIFICATE', 'Proc-Type: 4,ENCRYPTED\n\nAAEC')],
    ['nothing in it', block('CERTIFICATE', '')],
    ['half a byte', block('CERTIFICATE', 'AAECA')],
  ])('a block with %s is found, and has no bytes', ([, text]) => {
    const [first, ...others] = pemBlocks(text);
    expect(first).toEqual({ label: 'CERTIFICATE', der: null });
    expect(others).toEqual([]);
  });

  test('a block that is not whole does not swallow the next', () => {
    const blocks = pemBlocks(`-----BEGIN CERTIFICATE-----\nAAEC\n${block('CERTIFICATE', 'AwQF')}`);
    expect(blocks.map(({ der }) => der)).toEqual([null, Buffer.of(3, 4, 5)]);
  });

  test('a text without blocks has none', () => {
    expect(pemBlocks('')).toEqual([]);
    expect(pemBlocks('AAEC')).toEqual([]);
  });
});

test.for([
  ['', null],
  ['AA==', '00'],
  ['AA', null],
  ['AA=', null],
  ['AB==', null],
  ['AAE=', '0001'],
  ['AAEC', '000102'],
  ['AAEC=', null],
  ['AA==AAEC', null],
  ['-_-_', null],
  ['AA EC', null],
] as const)('decodeBase64(%j) is %s', ([text, want]) => {
  expect(decodeBase64(text)?.toString('hex') ?? null).toBe(want);
});
