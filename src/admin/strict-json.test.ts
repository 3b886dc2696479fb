import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { JsonError, parseStrictJson } from './strict-json.js';

const refused: { readonly name: string; readonly text: string; readonly says: string }[] = [
  { name: 'a name twice', text: '{"a":1,"a":1}', says: 'stands twice' },
  { name: 'a name twice, once escaped', text: '{"a":1,"\\u0061":2}', says: 'stands twice' },
  { name: 'a name twice further down', text: '{"a":[{"b":1,"b":2}]}', says: 'stands twice' },
  { name: '__proto__', text: '{"__proto__":{"x":1}}', says: '__proto__' },
  { name: '__proto__, escaped', text: '{"\\u005f_proto__":1}', says: '__proto__' },
  { name: 'constructor', text: '{"a":{"constructor":{"prototype":1}}}', says: 'constructor' },
  { name: 'prototype', text: '{"prototype":1}', says: 'prototype' },
  { name: 'nine levels', text: `${'['.repeat(9)}${']'.repeat(9)}`, says: 'more than 8 levels' },
  { name: 'a hundred thousand levels', text: '['.repeat(100_000), says: 'more than 8 levels' },
  { name: 'a fraction', text: '1.5', says: 'not whole' },
  { name: 'a whole number written as a fraction', text: '1.0', says: 'not whole' },
  { name: 'an exponent', text: '1e3', says: 'not whole' },
  { name: 'an overflowing exponent', text: '1e400', says: 'not whole' },
  { name: 'more than a double holds', text: '9007199254740992', says: 'too large' },
  { name: 'less than a double holds', text: '-9007199254740992', says: 'too large' },
  { name: 'minus zero', text: '-0', says: 'not whole' },
  { name: 'half of a surrogate pair', text: '"\\ud800"', says: 'surrogate' },
  { name: 'a leading zero', text: '01', says: 'expected the end' },
  { name: 'a plus sign', text: '+1', says: 'expected a value' },
  { name: 'a trailing comma', text: '[1,]', says: 'expected a value' },
  { name: 'a trailing comma in an object', text: '{"a":1,}', says: 'in quotes' },
  { name: 'single quotes', text: "{'a':1}", says: 'in quotes' },
  { name: 'a comment', text: '1 // one', says: 'expected the end' },
  { name: 'NaN', text: 'NaN', says: 'expected a value' },
  { name: 'a control character in a string', text: '"\u0001"', says: 'in quotes' },
  { name: 'two values', text: '{} {}', says: 'expected the end' },
  { name: 'a byte order mark', text: '\ufeff{}', says: 'expected a value' },
  { name: 'a non-breaking space', text: '\u00a0{}', says: 'expected a value' },
  { name: 'an unfinished object', text: '{"a":1', says: 'expected "," or "}"' },
  { name: 'an unfinished array', text: '[1', says: 'expected "," or "]"' },
  { name: 'an unfinished string', text: '"a', says: 'in quotes' },
  { name: 'no colon', text: '{"a" 1}', says: 'expected ":"' },
  { name: 'nothing', text: '', says: 'expected a value' },
];

test.for(refused)('JSON with $name is refused', ({ text, says }) => {
  expect(() => parseStrictJson(text)).toThrow(JsonError);
  expect(() => parseStrictJson(text)).toThrow(says);
});

test('objects have no prototype, so no name in them means anything else', () => {
  const value = parseStrictJson('{"toString":1,"hasOwnProperty":2}') as Record<string, unknown>;
  expect(Object.getPrototypeOf(value)).toBeNull();
  expect(value['toString']).toBe(1);
  expect(value['valueOf']).toBeUndefined();
});

test('eight levels are read', () => {
  expect(JSON.stringify(parseStrictJson('[[[[[[[[1]]]]]]]]'))).toBe('[[[[[[[[1]]]]]]]]');
});

// Values as the parser takes them: whole numbers, well-formed text, no reserved names, few levels.
const name = fc.string({ unit: 'binary', maxLength: 5 }).filter((text) => text.isWellFormed() && text !== '__proto__');
const leaf = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.maxSafeInteger().filter((n) => !Object.is(n, -0)),
  name,
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(name, tie('value'))),
}));

test('whatever it reads, the platform reads the same', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (one, space) => {
      const text = JSON.stringify(one, null, space);
      expect(JSON.parse(JSON.stringify(parseStrictJson(text)))).toEqual(JSON.parse(text));
    }),
    runs(500),
  );
});

test('text near JSON is read as the platform reads it, or refused; nothing else is ever thrown', () => {
  const near = fc.array(
    fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', '-', '0', ' ', '\\', '"', 'true', 'nul'),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(near, (parts) => {
      const text = parts.join('');
      try {
        expect(JSON.stringify(parseStrictJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError);
      }
    }),
    runs(2_000),
  );
});
