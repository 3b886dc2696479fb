import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { element } from '../demo/der-writer.js';
import { CertificateError, DerReader } from './der.js';

const reader = (hex: string) => new DerReader(Buffer.from(hex, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test.for([
  ['0400', 'empty content'],
  ['040161', 'one byte'],
  [`047f${'00'.repeat(0x7f)}`, 'the longest short form'],
  [`048180${'00'.repeat(0x80)}`, 'the shortest long form'],
  [`0481ff${'00'.repeat(0xff)}`, 'the longest length of one byte'],
  [`04820100${'00'.repeat(0x100)}`, 'the shortest length of two bytes'],
] as const)('reads %#: %s', ([text]) => {
  const one = reader(text);
  const { der, contents } = one.element(0x04, 'it');
  expect(hex(der)).toBe(text);
  expect(text.endsWith(hex(contents))).toBe(true);
  expect(() => one.end('it')).not.toThrow();
});

test.for([
  ['', 'nothing'],
  ['04', 'no length'],
  ['0401', 'no content'],
  ['040261', 'content cut short'],
  ['0481', 'long form without its byte'],
  ['048201', 'long form cut short'],
  ['048100', 'zero in long form'],
  [`04817f${'00'.repeat(0x7f)}`, 'long form for what fits the short one'],
  [`04820080${'00'.repeat(0x80)}`, 'leading zero in the length'],
  [`0483000100${'00'.repeat(0x100)}`, 'leading zero in a length of three bytes'],
  ['0480610000', 'indefinite length'],
  ['04850000000161', 'length of five bytes'],
  ['048861616161616161616161', 'length of eight bytes'],
  ['04ff', 'reserved length'],
  ['0484ffffffff61', 'length beyond the input'],
  ['1f0161', 'long form of the tag'],
  ['bf010161', 'long form of a context tag'],
  ['050161', 'another tag'],
] as const)('refuses %s: %s', ([text]) => {
  expect(() => reader(text).element(0x04, 'it')).toThrow(CertificateError);
});

test.for(['1f0161', 'bf1f0161', '7f8101ff'])('a tag of more than one byte is none that anything has: %s', (text) => {
  expect(() => reader(text).any('it')).toThrow('it has a tag of more than one byte');
});

test('an indefinite length is called what it is', () => {
  expect(() => reader('3080020101000000').any('it')).toThrow('it has no definite length');
});

test('what follows an element is not passed over', () => {
  const one = reader('04016100');
  one.element(0x04, 'it');
  expect(() => one.end('the list')).toThrow('the list has something after its end');
});

test('an element ends inside its parent', () => {
  // The inner length reaches one byte past the outer end, where there is one.
  const outer = reader('300304026162').inside(0x30, 'the list');
  expect(() => outer.any('the member')).toThrow('the member is cut short');
});

test('an optional element of another tag is left where it is', () => {
  const one = reader('020101');
  expect(one.optional(0x01, 'it')).toBeUndefined();
  expect(one.next).toBe(0x02);
  expect(one.optional(0x02, 'it')?.contents).toEqual(Buffer.of(1));
  expect(one.next).toBeUndefined();
});

test('nesting ends at sixteen', () => {
  const nested = (depth: number): Buffer => (depth === 0 ? Buffer.of() : element(0x30, nested(depth - 1)));
  const descend = (depth: number) => {
    let at = new DerReader(nested(depth));
    for (let i = 0; i < depth; i++) at = at.inside(0x30, 'it');
  };
  expect(() => descend(16)).not.toThrow();
  expect(() => descend(17)).toThrow('nested more than 16 deep');
});

describe('any bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc
      .tuple(
        fc.constantFrom(0x04, 0x30, 0xa0),
        fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([tag, length, rest]) => Uint8Array.of(tag, length, ...rest)),
  );

  test('are refused, or are the one encoding of what was read', () => {
    let read = 0;
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          const { tag, contents, der } = new DerReader(input).any('it');
          read += 1;
          expect(hex(element(tag, contents))).toBe(hex(der));
          expect(hex(input).startsWith(hex(der))).toBe(true);
        } catch (error) {
          if (!(error instanceof CertificateError)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(50);
  });
});
