import { expect, test } from 'vitest';
import type { Instant } from '../domain/time.js';
import {
  bitString,
  boolean,
  context,
  element,
  integer,
  octetString,
  oid,
  sequence,
  set,
  string,
  time,
} from './der-writer.js';

const A = Buffer.of(0x01, 0x01, 0x00);
const B = Buffer.of(0x01, 0x01, 0xff);

test.for<[string, Buffer, string]>([
  ['an empty sequence', sequence(), '3000'],
  ['a sequence in the given order', sequence(B, A), '30060101ff010100'],
  ['a set in the order of its encodings', set(B, A), '31060101000101ff'],
  ['a context tag', context(3, A), 'a303010100'],
  ['true', boolean(true), '0101ff'],
  ['zero', integer(0n), '020100'],
  ['127', integer(127n), '02017f'],
  ['128, kept from being negative', integer(128n), '02020080'],
  ['256', integer(256n), '02020100'],
  ['an identifier', oid('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
  ['an identifier with a large second number', oid('2.999.3'), '0603883703'],
  ['bits', bitString(Buffer.of(0x80), 7), '03020780'],
  ['octets', octetString(Buffer.of(1)), '040101'],
  ['UTF-8', string('utf8', 'é'), '0c02c3a9'],
  ['two bytes a character', string('bmp', 'aé'), '1e04006100e9'],
  ['a time before 2050', time(Date.UTC(2049, 11, 31, 23, 59, 59, 999) as Instant), '170d3439313233313233353935395a'],
  ['a time from 2050 on', time(Date.UTC(2050, 0, 1) as Instant), '180f32303530303130313030303030305a'],
])('writes %s', ([, der, want]) => {
  expect(der.toString('hex')).toBe(want);
});

test.for([
  [0x7f, '047f'],
  [0x80, '048180'],
  [0xff, '0481ff'],
  [0x100, '04820100'],
  [0x1_0000, '0483010000'],
] as const)('writes a length of %d in its shortest form', ([length, start]) => {
  const der = element(0x04, Buffer.alloc(length));
  expect(der.subarray(0, start.length / 2).toString('hex')).toBe(start);
  expect(der).toHaveLength(start.length / 2 + length);
});
