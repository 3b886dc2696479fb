import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { integer, oid } from '../demo/der-writer.js';
import { bitsOf, booleanOf, instantOf, octetsOf, oidOf, unsignedHex } from './der-values.js';
import { CertificateError, DerReader, type Element } from './der.js';

const from = (bytes: Uint8Array): Element => new DerReader(bytes).any('it');
const element = (hex: string) => from(Buffer.from(hex, 'hex'));
const time = (tag: number, text: string) =>
  from(Buffer.concat([Buffer.of(tag, text.length), Buffer.from(text, 'latin1')]));

describe('unsignedHex()', () => {
  test.for([
    ['020100', '00'],
    ['02017f', '7f'],
    ['02020080', '80'],
    ['02020100', '0100'],
  ] as const)('reads %s as %s', ([hex, want]) => {
    expect(unsignedHex(element(hex), 'it')).toBe(want);
  });

  test.for([
    ['0200', 'nothing'],
    ['020180', 'a negative number'],
    ['0202ffff', 'a negative number with needless bits'],
    ['02020001', 'a needless zero'],
    ['02020000', 'zero written twice'],
  ] as const)('refuses %s: %s', ([hex]) => {
    expect(() => unsignedHex(element(hex), 'it')).toThrow(CertificateError);
  });

  test('reads what was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 160n }), (n) => {
        expect(BigInt(`0x${unsignedHex(from(integer(n)), 'it')}`)).toBe(n);
      }),
    );
  });
});

test('a boolean is 00 or ff and nothing else', () => {
  expect(booleanOf(element('0101ff'), 'it')).toBe(true);
  expect(booleanOf(element('010100'), 'it')).toBe(false);
  for (const hex of ['010101', '0101fe', '0100', '0102ffff'])
    expect(() => booleanOf(element(hex), 'it')).toThrow(CertificateError);
});

describe('oidOf()', () => {
  test.for([
    ['0603550403', '2.5.4.3'],
    ['06092a864886f70d010901', '1.2.840.113549.1.9.1'],
    ['060100', '0.0'],
    ['060127', '0.39'],
    ['060128', '1.0'],
    ['06014f', '1.39'],
    ['060150', '2.0'],
    ['06028837', '2.999'],
    // The OID of a UUID: one number of 128 bits.
    ['0614698381ffffffffffffffffffffffffffffffff7f', null],
    ['06146983ffffffffffffffffffffffffffffffffff7f', '2.25.340282366920938463463374607431768211455'],
  ] as const)('reads %s as %s', ([hex, want]) => {
    if (want === null) expect(oidOf(element(hex), 'it')).toMatch(/^2\.25\.\d+$/);
    else expect(oidOf(element(hex), 'it')).toBe(want);
  });

  test.for([
    ['0600', 'nothing'],
    ['060180', 'a number without end'],
    ['06025581', 'a last number without end'],
    ['0603558003', 'a needless zero'],
    ['06028001', 'a needless zero in front'],
    [`0641${'01'.repeat(65)}`, '65 bytes'],
  ] as const)('refuses %s: %s', ([hex]) => {
    expect(() => oidOf(element(hex), 'it')).toThrow(CertificateError);
  });

  test('reads what was written', () => {
    const arcs = fc.tuple(
      fc.constant(2n),
      fc.array(fc.bigInt({ min: 0n, max: 1n << 40n }), { minLength: 1, maxLength: 6 }),
    );
    fc.assert(
      fc.property(arcs, ([root, rest]) => {
        const dotted = [root, ...rest].join('.');
        expect(oidOf(from(oid(dotted)), 'it')).toBe(dotted);
      }),
    );
  });
});

describe('bit strings', () => {
  test.for([
    ['030100', '', 0],
    ['03020780', '80', 7],
    ['03020106', '06', 1],
    ['0303000100', '0100', 0],
  ] as const)('bitsOf() reads %s', ([hex, bytes, unused]) => {
    const bits = bitsOf(element(hex), 'it');
    expect([Buffer.from(bits.bytes).toString('hex'), bits.unused]).toEqual([bytes, unused]);
  });

  test.for([
    ['0300', 'nothing'],
    ['030101', 'padding without bits'],
    ['03020880', 'eight bits of padding'],
    ['03020800', 'eight bits of padding, all of them zero'],
    ['03020181', 'padding that is not zero'],
    ['030307ffc0', 'padding that is not zero after another byte'],
  ] as const)('bitsOf() refuses %s: %s', ([hex]) => {
    expect(() => bitsOf(element(hex), 'it')).toThrow(CertificateError);
  });

  test('octetsOf() takes whole bytes only', () => {
    expect(octetsOf(element('030200ff'), 'it')).toEqual(Buffer.of(0xff));
    expect(() => octetsOf(element('03020780'), 'it')).toThrow(CertificateError);
  });
});

describe('instantOf()', () => {
  const UTC = 0x17;
  const GENERAL = 0x18;

  test.for([
    [UTC, '260101000000Z', '2026-01-01T00:00:00.000Z'],
    [UTC, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [UTC, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [UTC, '000229120000Z', '2000-02-29T12:00:00.000Z'],
    [GENERAL, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    // RFC 5280 section 4.1.2.5: no end that anybody knows.
    [GENERAL, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  ] as const)('reads %s %s', ([tag, text, want]) => {
    expect(new Date(instantOf(time(tag, text), 'it')).toISOString()).toBe(want);
  });

  test.for([
    [UTC, '', 'nothing'],
    [UTC, '2601010000Z', 'no seconds'],
    [UTC, '260101000000', 'no zone'],
    [UTC, '260101000000z', 'zone in lower case'],
    [UTC, '260101000000+0100', 'another zone'],
    [UTC, '260101000000+0000', 'UTC as an offset'],
    [UTC, '260101000000.5Z', 'a fraction'],
    [UTC, ' 60101000000Z', 'a space'],
    [UTC, '20260101000000Z', 'a year of four digits'],
    [UTC, '260101000000Z\n', 'a line feed'],
    [UTC, '260101000000Z\0', 'a NUL'],
    [UTC, '261301000000Z', 'month 13'],
    [UTC, '260001000000Z', 'month 0'],
    [UTC, '260100000000Z', 'day 0'],
    [UTC, '260230000000Z', '30 February'],
    [UTC, '250229000000Z', '29 February of no leap year'],
    [UTC, '260101240000Z', 'hour 24'],
    [UTC, '260101006000Z', 'minute 60'],
    [UTC, '161231235960Z', 'a leap second'],
    [GENERAL, '20491231235959Z', 'a year before 2050'],
    [GENERAL, '20260101000000Z', 'a year long before 2050'],
    [GENERAL, '00260101000000Z', 'a year of two digits with zeros'],
    [GENERAL, '500101000000Z', 'a year of two digits'],
    [GENERAL, '20500101000000.0Z', 'a fraction'],
    [GENERAL, '205001010000Z', 'no seconds'],
    [GENERAL, '20500230000000Z', '30 February'],
  ] as const)('refuses %s %j: %s', ([tag, text]) => {
    expect(() => instantOf(time(tag, text), 'it')).toThrow(CertificateError);
  });
});
