import { describe, expect, test } from 'vitest';
import { codeOf } from '../../test/builders.js';
import { matchesAction, parseActionPattern } from './action-pattern.js';
import { unambiguousPath } from './http-path.js';

const matches = (pattern: string, method: string, path: string) =>
  matchesAction(parseActionPattern(pattern), method, path);

describe('what a pattern covers', () => {
  test.for([
    ['GET /a', 'GET /a', true],
    ['GET /a', 'GET /a/', false],
    ['GET /a/', 'GET /a', false],
    ['GET /a/', 'GET /a/', true],
    ['GET /a', 'GET /A', false],
    ['GET /a', 'GET /ab', false],
    ['GET /a', 'GET /a/b', false],
    ['GET /a', 'GET /b/a', false],
    ['GET /', 'GET /', true],
    ['GET /', 'GET /a', false],
    ['GET /*', 'GET /a', true],
    ['GET /*', 'GET /', false],
    ['GET /*', 'GET /a/', false],
    ['GET /*', 'GET /a/b', false],
    ['GET /*/b', 'GET /a/b', true],
    ['GET /*/', 'GET /a/', true],
    ['GET /**', 'GET /', true],
    ['GET /**', 'GET /a/b/c', true],
    ['GET /a/**', 'GET /a', true],
    ['GET /a/**', 'GET /a/', true],
    ['GET /a/**', 'GET /a/b/c/', true],
    ['GET /a/**', 'GET /ab', false],
    ['GET /*/**', 'GET /', false],
    ['DELETE /invoices/*', 'DELETE /invoices/7', true],
    ['GET /a.b', 'GET /axb', false],
    ['GET /a%20b', 'GET /a%20b', true],
    ['GET /caf%C3%A9', 'GET /caf%c3%a9', false],
    ['POST /pkg.Service/Method', 'POST /pkg.Service/Method', true],
    ['POST /pkg.Service/*', 'POST /pkg.Service/Other', true],
    ['GET /a', 'HEAD /a', false],
    ['GET /a', 'get /a', false],
    ['GET /a', 'UPGRADE /a', false],
    ['UPGRADE /a', 'UPGRADE /a', true],
    ['GET /a', 'GETX /a', false],
    ['GET,HEAD /a', 'HEAD /a', true],
    ['GET,HEAD /a', 'GET,HEAD /a', false],
    ['GET,HEAD /a', 'POST /a', false],
  ] as const)('%s covers %s: %s', ([pattern, request, covered]) => {
    const [method = '', path = ''] = request.split(' ');
    expect(matches(pattern, method, path)).toBe(covered);
  });
});

describe('what is no pattern', () => {
  test.for([
    ['nothing', ''],
    ['only a method', 'GET'],
    ['only a path', '/a'],
    ['a method and no path', 'GET '],
    ['a path without slash', 'GET a'],
    ['a method in lower case', 'get /a'],
    ['any method', '* /a'],
    ['an empty method', ',GET /a'],
    ['an empty method at the end', 'GET, /a'],
    ['a space between methods', 'GET, HEAD /a'],
    ['two spaces', 'GET  /a'],
    ['a space at the end', 'GET /a '],
    ['a line feed at the end', 'GET /a\n'],
    ['a second pattern', 'GET /a\nGET /b'],
    ['a query', 'GET /a?b'],
    ['a fragment', 'GET /a#b'],
    ['** before the end', 'GET /**/a'],
    ['** twice', 'GET /**/**'],
    ['*** ', 'GET /***'],
    ['a star beside letters', 'GET /a*'],
    ['a star inside a word', 'GET /a/*.txt'],
    ['** beside letters', 'GET /a**'],
    ['an empty segment', 'GET /a//b'],
    ['a dot segment', 'GET /a/../b'],
    ['a path parameter', 'GET /a;b'],
    ['an encoded slash', 'GET /a%2fb'],
    ['a letter that is not ASCII', 'GET /é'],
    ['a URL', 'GET http://host/a'],
    ['a regular expression', 'GET /(a|b)\\d+'],
  ] as const)('%s: %j', ([, text]) => {
    expect(codeOf(() => parseActionPattern(text))).toBe('invalid_request');
  });

  test('the message quotes it and shows a good one', () => {
    expect(() => parseActionPattern('GET /a?b')).toThrow('such as "GET,HEAD /invoices/*", got "GET /a?b"');
  });
});

/** All words of up to `length` letters. */
function words(letters: readonly string[], length: number): string[] {
  if (length === 0) return [''];
  const shorter = words(letters, length - 1);
  const longest = shorter.filter((word) => word.length === length - 1);
  return [...shorter, ...longest.flatMap((word) => letters.map((letter) => word + letter))];
}

/** The rule once more, as somebody would explain it: piece by piece from the left, trying everything. */
function covers(pattern: string, path: string): boolean {
  if (pattern === path) return !pattern.includes('*');
  if (pattern === '/**') return path === '' || path.startsWith('/');
  if (!pattern.startsWith('/') || !path.startsWith('/')) return false;
  const [wanted, restOfPattern] = cut(pattern.slice(1));
  const [given, rest] = cut(path.slice(1));
  return (
    (wanted === '*' ? given.length > 0 : wanted === given) &&
    (restOfPattern + rest === '' || covers(restOfPattern, rest))
  );
}

function cut(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash)];
}

/** Written by its rows: a star stands alone, two stars stand last. */
function isPattern(text: string): boolean {
  return !text.includes('//') && !/\*[^/*]|[^/*]\*|\*\*\*|\*\*./.test(text);
}

describe('exhaustively', () => {
  const all = (letters: readonly string[]) => words(letters, 6).map((word) => `/${word}`);

  test('what is a pattern', () => {
    const read = all(['a', '*', '/']).filter((text) => codeOf(() => parseActionPattern(`GET ${text}`)) === undefined);
    expect(read).toEqual(all(['a', '*', '/']).filter(isPattern));
    expect(read.length).toBeGreaterThan(50);
  });

  test('which paths each covers', () => {
    const patterns = all(['a', '*', '/']).filter(isPattern);
    const paths = all(['a', 'b', '/']).filter((path) => unambiguousPath(path) !== null);
    const wrong: string[] = [];
    let covered = 0;
    for (const text of patterns) {
      const pattern = parseActionPattern(`GET ${text}`);
      for (const path of paths) {
        const want = covers(text, path);
        if (want) covered += 1;
        if (matchesAction(pattern, 'GET', path) !== want) wrong.push(`${text} and ${path}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(covered).toBeGreaterThan(1_000);
  });
});
