import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { toJson, toJsonLine, toYaml } from './notation.js';
import { quoted, visible } from './visible.js';

/** Everything that a terminal acts on, or that people cannot see. */
const HOSTILE = {
  'a colour': '\u001b[31m',
  'a title': '\u001b]0;owned\u0007',
  'a bell': '\u0007',
  'a backspace': 'yes\b\b\bno',
  'a carriage return': 'denied\rapproved',
  'a line feed': 'one\ntwo',
  'an 8-bit control sequence': '\u009b31m',
  delete: '\u007f',
  'a right-to-left override': '\u202edessap\u202c',
  'a right-to-left mark': '\u200f',
  'an isolate': '\u2066x\u2069',
  'an Arabic letter mark': '\u061c',
  'a zero-width space': 'a\u200bb',
  'a soft hyphen': 'a\u00adb',
  'a byte order mark': '\ufeff',
  'a line separator': '\u2028',
  'a tag': '\u{e0041}',
  'half a pair': '\ud800',
};

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

test.for(Object.entries(HOSTILE))('%s does not reach a terminal', ([, text]) => {
  expect(visible(text)).not.toMatch(INVISIBLE);
  expect(quoted(text)).not.toMatch(INVISIBLE);
});

test('what is harmless stays as it is', () => {
  for (const text of ['corp/dn:CN=a\\,b,O=Acme', 'Müller & Söhne', '請求書', '👍', ''])
    expect(visible(text)).toBe(text);
});

test('an escape names the character', () => {
  expect(visible('a\u001b[31m\n\u{e0041}')).toBe('a\\u001b[31m\\n\\u{e0041}');
});

test('between quotes a text has one reading', () => {
  expect(quoted('a"b\\n\n')).toBe('"a\\"b\\\\n\\n"');
});

// Ordinary text, with something hostile in most of it.
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...Object.values(HOSTILE)), fc.string());
const value = fc.record({
  text,
  list: fc.array(text, { maxLength: 3 }),
  byName: fc.dictionary(text, text, { maxKeys: 3 }),
});

test('no text whatsoever reaches a terminal with anything invisible in it', () => {
  fc.assert(fc.property(text, (any) => !INVISIBLE.test(visible(any)) && !INVISIBLE.test(quoted(any))));
});

test('JSON is harmless, and means what it meant', () => {
  fc.assert(
    fc.property(value, (any) => {
      const json = toJson(any);
      expect(json.replaceAll('\n', '')).not.toMatch(INVISIBLE);
      expect(toJsonLine(any)).not.toMatch(INVISIBLE);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(any)));
      expect(JSON.parse(toJsonLine(any))).toEqual(JSON.parse(JSON.stringify(any)));
    }),
  );
});

test('YAML is harmless, and means what it meant', async () => {
  // Halves of pairs cannot be written in YAML at all; the service lets none in.
  const wellFormed = value.filter(
    (any) => JSON.stringify(any).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(any)),
  );
  await fc.assert(
    fc.asyncProperty(wellFormed, async (any) => {
      const yaml = await toYaml(any);
      expect(yaml.replaceAll('\n', '')).not.toMatch(INVISIBLE);
      expect(parse(yaml)).toEqual(JSON.parse(JSON.stringify(any)));
    }),
  );
});
