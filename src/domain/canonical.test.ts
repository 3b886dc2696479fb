import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { canonicalJson, type Canonical } from './canonical.js';

const someKey = fc.oneof(
  fc.constantFrom('a', 'b', 'A', '', '__proto__', 'constructor', '1', '10', '2'),
  fc.string({ unit: 'binary' }),
);
const { value: someValue } = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(someKey, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));

describe('examples of RFC 8785, as far as they have whole numbers only', () => {
  test('3.2.2: strings and literals', () => {
    const value = { string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/', literals: [null, true, false] };
    const text = '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    expect(canonicalJson(value)).toBe(text);
  });

  test('3.2.3: keys sort by UTF-16 code unit, so the emoji comes before the dagesh', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const order = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test('appendix B: the ends of whole numbers', () => {
    expect(canonicalJson([0, -1, 9_007_199_254_740_991, -9_007_199_254_740_991])).toBe(
      '[0,-1,9007199254740991,-9007199254740991]',
    );
  });
});

test.for([
  [{}, '{}'],
  [[], '[]'],
  ['', '""'],
  [{ b: 1, a: [{ d: null, c: '' }] }, '{"a":[{"c":"","d":null}],"b":1}'],
  [{ 10: 'x', 9: 'y' }, '{"10":"x","9":"y"}'],
  ['\b\t\n\f\r\u0000\u001f\u007f\u2028', '"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f\u2028"'],
  [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
] as const)('%j is written as %s', ([value, text]) => {
  expect(canonicalJson(value as Canonical)).toBe(text);
});

test('a key called __proto__ is a key like any other', () => {
  expect(canonicalJson(JSON.parse('{"__proto__":1,"a":2}') as Canonical)).toBe('{"__proto__":1,"a":2}');
});

// oxlint-disable-next-line no-sparse-arrays
const HOLE = [1, , 2];
test.for([
  ['undefined', undefined],
  ['a member that is undefined', { a: undefined }],
  ['an element that is undefined', [undefined]],
  ['a hole', HOLE],
  ['a fraction', 0.5],
  ['a whole number beyond 2^53', 2 ** 53],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['negative zero', -0],
  ['a big integer', 1n],
  ['a function', () => 1],
  ['a symbol', Symbol('a')],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['bytes', new Uint8Array(2)],
  ['an object of a class', new URL('http://a')],
  ['a boxed string', Object('a')],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate in a key', { '\udc00': 1 }],
  ['a lone surrogate deep inside', [{ a: ['\ud800x'] }]],
] as [string, unknown][])('%s has no canonical spelling', ([, value]) => {
  expect(() => canonicalJson(value as Canonical)).toThrow(TypeError);
});

test('negative zero is named as such', () => {
  expect(() => canonicalJson(-0)).toThrow('number -0');
});

test('what is written is JSON for the same value', () => {
  fc.assert(
    fc.property(someValue, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
    }),
    runs(500),
  );
});

test('different values are written differently, equal ones equally, whatever the order of their keys', () => {
  fc.assert(
    fc.property(someValue, someValue, (a, b) => {
      expect(canonicalJson(a) === canonicalJson(b)).toBe(isSame(a, b));
      expect(canonicalJson(turned(a))).toBe(canonicalJson(a));
    }),
    runs(500),
  );
});

test('a value is written as itself wherever it stands', () => {
  fc.assert(
    fc.property(someValue, (value) => {
      expect(canonicalJson([value, value])).toBe(`[${canonicalJson(value)},${canonicalJson(value)}]`);
      expect(canonicalJson({ a: value })).toBe(`{"a":${canonicalJson(value)}}`);
    }),
    runs(200),
  );
});

function isSame(a: Canonical, b: Canonical): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
  const [membersA, membersB] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return (
    keysA.length === keysB.length &&
    keysA.every((key) => membersB.has(key) && isSame(membersA.get(key)!, membersB.get(key)!))
  );
}

/** The same value, its objects' keys in the opposite order. */
function turned(value: Canonical): Canonical {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, turned(member)]),
  );
}
