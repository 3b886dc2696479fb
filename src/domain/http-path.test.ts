import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { unambiguousPath } from './http-path.js';

test.for([
  ['the root', '/', '/'],
  ['segments', '/a/b', '/a/b'],
  ['a trailing slash, kept', '/a/', '/a/'],
  ['a query, dropped', '/a?b=c', '/a'],
  ['a query with what a path must not hold', '/a?/../b//;%2f#%zz', '/a'],
  ['an empty query', '/a?', '/a'],
  ['case, kept', '/A/b', '/A/b'],
  ['dots inside a segment', '/a..b/...', '/a..b/...'],
  ['a hidden file', '/.well-known/x', '/.well-known/x'],
  ['an encoded space', '/a%20b', '/a%20b'],
  ['an encoded dot inside a segment', '/a%2eb', '/a%2eb'],
  ['an encoded letter', '/%61', '/%61'],
  ['an encoded percent sign', '/100%25', '/100%25'],
  ['an encoded percent sign before what looks like a code', '/100%2541', '/100%2541'],
  ['an encoded percent sign before what is no code', '/%25zz', '/%25zz'],
  ['a letter encoded three times', '/%252541', '/%252541'],
  ['an encoded question mark', '/a%3fb', '/a%3fb'],
  ['encoded UTF-8', '/caf%C3%A9', '/caf%C3%A9'],
  ['encoded UTF-8 of four bytes', '/%F0%9F%98%80', '/%F0%9F%98%80'],
  ['encoded UTF-8, encoded again', '/caf%25C3%25A9', '/caf%25C3%25A9'],
  ['all that a path may hold', "/-._~!$&'()*+,=:@|[]", "/-._~!$&'()*+,=:@|[]"],
  ['gRPC', '/pkg.Service/Method', '/pkg.Service/Method'],
] as const)('%s: %s is read as %s', ([, target, path]) => {
  expect(unambiguousPath(target)).toBe(path);
});

test.for([
  ['nothing', ''],
  ['only a query', '?a'],
  ['no slash at the start', 'a/b'],
  ['an asterisk (OPTIONS)', '*'],
  ['a whole URL', 'http://host/a'],
  ['an authority (CONNECT)', 'host:443'],
  ['two slashes at the start', '//host/a'],
  ['two slashes inside', '/a//b'],
  ['two slashes at the end', '/a//'],
  ['a dot segment', '/./a'],
  ['a dot segment at the end', '/a/.'],
  ['a double dot segment', '/a/../b'],
  ['a double dot segment at the end', '/a/..'],
  ['only a double dot segment', '/..'],
  ['a double dot segment before the query', '/a/..?b'],
  ['an encoded dot segment', '/%2e/a'],
  ['an encoded double dot segment', '/%2e%2e/a'],
  ['a half encoded double dot segment', '/.%2e/a'],
  ['the other half', '/%2E./a'],
  ['a slash encoded', '/a%2fb'],
  ['a slash encoded in upper case', '/a%2Fb'],
  ['a backslash encoded', '/a%5cb'],
  ['a backslash encoded in upper case', '/a%5Cb'],
  ['a backslash', '/a\\b'],
  ['a NUL encoded', '/a%00b'],
  ['a NUL', '/a\0b'],
  ['a line feed encoded', '/a%0ab'],
  ['a carriage return encoded', '/a%0D'],
  ['a unit separator encoded', '/%1f'],
  ['a delete encoded', '/%7f'],
  ['a delete', '/\x7f'],
  ['a tab', '/a\tb'],
  ['a space', '/a b'],
  ['a line feed at the end', '/a\n'],
  ['a path parameter', '/a;b'],
  ['a path parameter on a dot segment', '/..;/a'],
  ['a path parameter encoded', '/a%3bb'],
  ['a fragment', '/a#b'],
  ['a slash encoded twice', '/a%252fb'],
  ['a slash encoded three times', '/a%25252fb'],
  ['a slash encoded ten times', `/a%${'25'.repeat(9)}2f`],
  ['a slash whose digits are encoded', '/a%25%32%66b'],
  ['a slash one of whose digits is encoded', '/a%252%66b'],
  ['a slash whose code is encoded in turns', '/a%25%32%35%32f'],
  ['a backslash encoded twice', '/a%255cb'],
  ['a NUL encoded twice', '/a%2500'],
  ['a semicolon encoded twice', '/a%253b'],
  ['a dot segment encoded twice', '/%252e%252e/a'],
  ['a dot segment whose digits are encoded', '/%25%32%65/a'],
  ['a dot segment half encoded twice', '/.%252e/a'],
  ['a letter encoded four times', '/%25252541'],
  ['a letter encoded five times', '/%2525252541'],
  ['an overlong slash of two bytes', '/a%c0%afb'],
  ['an overlong slash of three bytes', '/a%e0%80%afb'],
  ['an overlong slash of four bytes', '/a%f0%80%80%afb'],
  ['an overlong dot', '/%c0%ae%c0%ae/a'],
  ['an overlong NUL', '/a%c0%80'],
  ['an overlong slash encoded twice', '/a%25c0%25af'],
  ['a surrogate in UTF-8', '/%ed%a0%80'],
  ['half a character', '/%c3'],
  ['half a character before a letter', '/%c3a'],
  ['a lone continuation', '/%a9'],
  ['beyond Unicode', '/%f4%90%80%80'],
  ['Latin-1 encoded', '/caf%e9'],
  ['a letter that is not ASCII', '/café'],
  ['a full-width slash', '/a／b'],
  ['a lone surrogate', '/\ud800'],
  ['half a code', '/a%'],
  ['a code of one digit', '/a%2'],
  ['a code that is none', '/a%zz'],
  ['a code of another kind', '/a%u002f'],
  ['a quotation mark', '/a"b'],
  ['angle brackets', '/<a>'],
  ['a caret', '/a^b'],
  ['a backtick', '/a`b'],
  ['braces', '/{a}'],
] as const)('%s: %j has more than one reading', ([, target]) => {
  expect(unambiguousPath(target)).toBeNull();
});

const PIECES = [
  '/',
  '.',
  '%2e',
  '%2f',
  '%25',
  '25',
  '2',
  'f',
  'e',
  '%',
  'c0',
  'a',
  '%c3%a9',
  '%5c',
  ';',
  '?',
  '~',
  '{',
  '^',
];
const someTarget = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);

test('a path that has one reading is left as it is by a URL parser', () => {
  const someText = fc.string({ unit: 'grapheme-ascii', maxLength: 4 }).map((text) => `/${text}`);
  fc.assert(
    fc.property(fc.oneof(someTarget, someText), (target) => {
      const path = unambiguousPath(target);
      fc.pre(path !== null);
      expect(new URL(`http://host${target}`).pathname).toBe(path);
    }),
    runs(1_000),
  );
});

test('every single character that is read leaves a URL as it is', () => {
  const read = Array.from({ length: 0x2_00 }, (_, code) => `/a${String.fromCharCode(code)}b`).filter(
    (target) => unambiguousPath(target) === target,
  );
  expect(read.length).toBe(26 * 2 + 10 + "-._~!$&'()*+,=:@|[]/".length);
  for (const target of read) expect(new URL(`http://host${target}`).pathname).toBe(target);
});

/** The laxest reader there is: decodes bytes, any number of times, and thinks overlong UTF-8 is fine. */
function decodeLaxly(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const low = (lead: number, next: string) => String.fromCharCode(((lead & 0x1f) << 6) | (next.charCodeAt(0) & 0x3f));
  return bytes.replace(/([\xc0\xc1])([\x80-\xbf])/g, (_, lead: string, next: string) => low(lead.charCodeAt(0), next));
}

test('a path that has one reading keeps its segments however often somebody decodes it', () => {
  fc.assert(
    fc.property(someTarget, (target) => {
      const path = unambiguousPath(target);
      fc.pre(path !== null);
      let decoded = path;
      for (let i = 0; i < 6; i++) {
        decoded = decodeLaxly(decoded);
        const segments = decoded.split('/');
        expect(segments.length).toBe(path.split('/').length);
        expect(segments.filter((one) => one === '.' || one === '..')).toEqual([]);
        // oxlint-disable-next-line no-control-regex
        expect(decoded).not.toMatch(/[\\;\x00-\x1f\x7f]/);
      }
    }),
    runs(600),
  );
});

test('reading is idempotent', () => {
  fc.assert(
    fc.property(someTarget, (target) => {
      const path = unambiguousPath(target);
      expect(path === null || unambiguousPath(path) === path).toBe(true);
    }),
    runs(500),
  );
});

test('a long path of nothing but codes is refused in no time', () => {
  const started = performance.now();
  expect(unambiguousPath(`/%${'25'.repeat(30_000)}`)).toBeNull();
  expect(unambiguousPath(`/${'%25'.repeat(20_000)}`)).not.toBeNull();
  expect(performance.now() - started).toBeLessThan(2_000);
});
