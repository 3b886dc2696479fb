import { expect, test } from 'vitest';
import { codeOf } from '../../test/builders.js';
import { plainText } from './text.js';

test.for([
  ['ordinary words', 'ticket 7', 'ticket 7'],
  ['nothing', '', ''],
  ['only white space', ' \n\t ', ''],
  ['white space around it', '  a b\n', 'a b'],
  ['lines and tabs inside', 'a\n\tb', 'a\n\tb'],
  ['letters of any script', 'größer 日本 عربى 😀', 'größer 日本 عربى 😀'],
] as const)('%s: %j is kept as %j', ([, text, kept]) => {
  expect(plainText('reason', text)).toBe(kept);
});

test.for(
  [
    ['a NUL', 0x00],
    ['a bell', 0x07],
    ['a backspace', 0x08],
    ['a vertical tab', 0x0b],
    ['a carriage return', 0x0d],
    ['an escape', 0x1b],
    ['a unit separator', 0x1f],
    ['a delete', 0x7f],
    ['a C1 control character', 0x9b],
    ['the last C1 control character', 0x9f],
    ['an Arabic letter mark', 0x061c],
    ['a left-to-right mark', 0x200e],
    ['a right-to-left mark', 0x200f],
    ['a line separator', 0x2028],
    ['a paragraph separator', 0x2029],
    ['a left-to-right embedding', 0x202a],
    ['a right-to-left override', 0x202e],
    ['a left-to-right isolate', 0x2066],
    ['a pop of isolates', 0x2069],
    ['a byte order mark', 0xfeff],
    ['half a surrogate pair', 0xd800],
  ].map(([name, code]) => [name, `a${String.fromCharCode(code as number)}b`] as const),
)('%s is refused: %j', ([, text]) => {
  expect(codeOf(() => plainText('reason', text))).toBe('invalid_request');
});

test('4 KiB is the most, counted in bytes', () => {
  expect(plainText('reason', 'a'.repeat(4_096))).toHaveLength(4_096);
  expect(codeOf(() => plainText('reason', 'a'.repeat(4_097)))).toBe('invalid_request');
  expect(plainText('reason', 'é'.repeat(2_048))).toHaveLength(2_048);
  expect(codeOf(() => plainText('reason', 'é'.repeat(2_049)))).toBe('invalid_request');
});

test('white space around it does not count', () => {
  expect(plainText('reason', `${' '.repeat(5_000)}a`)).toBe('a');
});

test('the message names the field', () => {
  expect(() => plainText('justification', 'a\0')).toThrow('justification must not hold');
});

test.for([
  ['a zero-width space', 'pay\u200broll'],
  ['a soft hyphen', 'pay\u00adroll'],
  ['a word joiner', 'pay\u2060roll'],
  ['tag characters', 'payroll\u{e0061}\u{e0062}'],
])('%s shows nothing and is refused', ([, text]) => {
  expect(() => plainText('justification', text!)).toThrow(/invisible/);
});

test('joiners inside words and emoji are kept', () => {
  expect(plainText('justification', 'نامه‌ای 👩‍💻')).toBe('نامه‌ای 👩‍💻');
});
