import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corp } from '../../test/builders.js';
import { AccessError } from './errors.js';
import type { TrustName } from './names.js';
import { parseSubject, partsOf, subjectOf, SUBJECT_KINDS, type SubjectKind, type SubjectParts } from './subject.js';

const isSubject = (kind: SubjectKind, value: string): boolean => {
  try {
    subjectOf({ trust: corp, kind, value });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(AccessError);
    return false;
  }
};

const longest = `spiffe://corp/${'a'.repeat(2_048 - 14)}`;

// The cases of the SPIFFE-ID specification and of the parsers that follow it, for ids of clients.
describe('a SPIFFE id', () => {
  test.for([
    'spiffe://example.org/path',
    'spiffe://staging.example.com/payments/mysql',
    'spiffe://k8s-west.example.com/ns/staging/sa/default',
    'spiffe://example.com/9eebccd2-12bf-40a6-b262-65fe0487d453',
    'spiffe://10.20.30.40/path',
    'spiffe://trust_domain/PATH/Element_1.x-y',
    'spiffe://a/...',
    'spiffe://a/.hidden',
    'spiffe://a/b..c',
    `spiffe://${'a'.repeat(255)}/x`,
    longest,
  ])('%s names a client', (id) => {
    expect(isSubject('uri', id)).toBe(true);
  });

  test.for([
    ['spiffe://example.org', 'no path: a trust domain is no client'],
    ['spiffe://example.org/', 'trailing slash'],
    ['spiffe://example.org/path/', 'trailing slash after the path'],
    ['spiffe://example.org//path', 'empty segment'],
    ['spiffe://example.org/a//b', 'empty segment inside'],
    ['spiffe://example.org/.', 'dot segment'],
    ['spiffe://example.org/./a', 'dot segment in front'],
    ['spiffe://example.org/a/..', 'dot segments at the end'],
    ['spiffe://example.org/a/../b', 'dot segments inside'],
    ['spiffe://example.org/%2e%2e/a', 'percent code'],
    ['spiffe://example.org/a%2fb', 'encoded slash'],
    ['spiffe://', 'nothing'],
    ['spiffe:///path', 'no trust domain'],
    ['spiffe:path', 'no slashes'],
    ['spiffe:/example.org/path', 'one slash'],
    ['SPIFFE://example.org/path', 'scheme in upper case'],
    ['Spiffe://example.org/path', 'scheme in mixed case'],
    ['spiffe://Example.org/path', 'trust domain in upper case'],
    ['spiffe://user@example.org/path', 'user information'],
    ['spiffe://user:password@example.org/path', 'user and password'],
    ['spiffe://example.org:8080/path', 'port'],
    ['spiffe://example.org:/path', 'empty port'],
    ['spiffe://example.org/path?query=1', 'query'],
    ['spiffe://example.org/path?', 'empty query'],
    ['spiffe://example.org/path#fragment', 'fragment'],
    ['spiffe://exämple.org/path', 'trust domain outside ASCII'],
    ['spiffe://example.org/päth', 'path outside ASCII'],
    ['spiffe://example.org/pa th', 'space'],
    ['spiffe://example.org/path\n', 'line feed at the end'],
    ['spiffe://[::1]/path', 'address in brackets'],
    [`spiffe://${'a'.repeat(256)}/x`, 'trust domain of 256 bytes'],
    [`${longest}a`, '2,049 bytes'],
    [' spiffe://example.org/path', 'leading space'],
  ] as const)('%s is refused: %s', ([id]) => {
    expect(isSubject('uri', id)).toBe(false);
  });

  test('of ASCII a trust domain takes a-z 0-9 . - _ and a path segment also A-Z', () => {
    for (let code = 0; code < 0x80; code++) {
      const character = String.fromCharCode(code);
      expect([code, isSubject('uri', `spiffe://a${character}b/x`)]).toEqual([code, /[a-z0-9._/-]/.test(character)]);
      expect([code, isSubject('uri', `spiffe://corp/a${character}b`)]).toEqual([
        code,
        /[A-Za-z0-9._/-]/.test(character),
      ]);
    }
  });
});

test.for<[SubjectKind, string, boolean]>([
  ['uri', 'https://corp.example/teams/a?x=1#y', true],
  ['uri', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', true],
  ['uri', 'https://corp/%41', true],
  ['uri', 'https://corp/%4', false],
  ['uri', 'https://corp/%zz', false],
  ['uri', 'https://corp/*', false],
  ['uri', 'https://corp/a b', false],
  ['uri', 'https://corp/"a"', false],
  ['uri', 'HTTPS://corp/a', false],
  ['uri', 'corp/a', false],
  ['uri', ':a', false],
  ['uri', 'urn:', false],
  ['uri', '', false],
  ['uri', 'dns:host.example', false],
  ['uri', 'email:a@example.com', false],
  ['uri', 'dn:CN=alice', false],
  ['uri', 'dnsx:host.example', true],
  ['dns', 'host.example', true],
  ['dns', 'HOST.example', true],
  ['dns', '_svc.host-1.example', true],
  ['dns', 'localhost', true],
  ['dns', 'host.example.', false],
  ['dns', '.host.example', false],
  ['dns', 'host..example', false],
  ['dns', '*.host.example', false],
  ['dns', '-host.example', false],
  ['dns', 'host-.example', false],
  ['dns', 'host:443', false],
  ['dns', 'höst.example', false],
  ['dns', 'host.example\0.evil.example', false],
  ['dns', 'host.example\n', false],
  ['dns', '', false],
  ['dns', `${'a'.repeat(63)}.example`, true],
  ['dns', `${'a'.repeat(64)}.example`, false],
  ['dns', Array(127).fill('a').join('.'), true],
  ['dns', Array(128).fill('a').join('.'), false],
  ['email', 'a@example.com', true],
  ['email', "o'hara+tag@example.com", true],
  ['email', 'first.last@sub.example.com', true],
  ['email', 'a@b@example.com', false],
  ['email', '@example.com', false],
  ['email', 'a@', false],
  ['email', 'a', false],
  ['email', '', false],
  ['email', 'a@example..com', false],
  ['email', 'a@-example.com', false],
  ['email', '.a@example.com', false],
  ['email', 'a.@example.com', false],
  ['email', 'a..b@example.com', false],
  ['email', '"a b"@example.com', false],
  ['email', 'a b@example.com', false],
  ['email', '*@example.com', false],
  ['email', 'Alice <a@example.com>', false],
  ['email', 'ä@example.com', false],
  ['email', `${'a'.repeat(64)}@example.com`, true],
  ['email', `${'a'.repeat(65)}@example.com`, false],
  ['dn', 'CN=alice,O=Acme', true],
  ['dn', 'CN=*.example.com', true],
  ['dn', 'CN=\\D0\\B0lice', true],
  ['dn', 'CN=#1e020061', true],
  ['dn', 'cn=alice', false],
  ['dn', 'CN=аlice', false],
  ['dn', 'CN=a\\2Cb', false],
  ['dn', 'CN=#0c0161', false],
  ['dn', 'CN=alice+OU=x', false],
  ['dn', 'CN=', false],
  ['dn', 'CN=alice,O=', false],
  ['dn', '', false],
  ['dn', `CN=${'a'.repeat(2_045)}`, true],
  ['dn', `CN=${'a'.repeat(2_046)}`, false],
])('subjectOf(): as %s, %s: %s', ([kind, value, want]) => {
  expect(isSubject(kind, value)).toBe(want);
});

describe('parseSubject()', () => {
  test.for([
    ['corp/spiffe://corp/alice', 'corp/spiffe://corp/alice'],
    ['spiffe://corp/alice', 'only/spiffe://corp/alice'],
    ['corp/dns:host.example', 'corp/dns:host.example'],
    ['dns:host.example', 'only/dns:host.example'],
    ['email:a@example.com', 'only/email:a@example.com'],
    ['corp/email:a/b@example.com', 'corp/email:a/b@example.com'],
    ['email:a/b@example.com', 'only/email:a/b@example.com'],
    ['corp/dn:o=Acme,cn=a\\2Cb', 'corp/dn:O=Acme,CN=a\\,b'],
    ['dn:CN=a/b', 'only/dn:CN=a/b'],
    ['dn:CN=Zoë', 'only/dn:CN=Zo\\C3\\AB'],
  ] as const)('reads %s', ([text, want]) => {
    expect(parseSubject(text, 'only' as TrustName)).toBe(want);
  });

  test.for(['spiffe://corp/alice', 'dns:host.example', 'dn:CN=a/b', 'alice', '', '/dns:host.example'])(
    'without a sole trust entry it refuses %j for want of a trust name',
    (text) => {
      expect(() => parseSubject(text)).toThrow(/^expected the name of a trust entry in front/);
    },
  );

  test.for([
    '/spiffe://corp/alice',
    'Corp/spiffe://corp/alice',
    'corp-/spiffe://corp/alice',
    `${'a'.repeat(64)}/spiffe://corp/alice`,
    'a/b/spiffe://corp/alice',
    'corp/alice',
    'corp/',
    'corp//spiffe://corp/alice',
    'corp/DNS:host.example',
    'corp/dns:',
    ' corp/dns:host.example',
    'corp/dns:host.example\n',
  ])('refuses %j', (text) => {
    expect(() => parseSubject(text, corp)).toThrow(AccessError);
  });

  test('the message quotes the input and gives an example', () => {
    expect(() => parseSubject('corp/dns:*.example')).toThrow(
      'expected a host name such as host.example, without wildcard or trailing dot, got "*.example"',
    );
  });
});

const trust = fc.constantFrom('corp', 'dns', 'email', 'dn', 'spiffe', 'a.b-c', 'x') as fc.Arbitrary<TrustName>;
const word = fc.string({
  unit: fc.constantFrom('a', 'b', '1', '-', '.', ':', '/', '@', '=', '+', 'N', 'C'),
  maxLength: 8,
});
const value: fc.Arbitrary<[SubjectKind, string]> = fc.oneof(
  fc.tuple(fc.constantFrom(...SUBJECT_KINDS), word),
  word.map((rest): [SubjectKind, string] => ['uri', `spiffe://corp/${rest}`]),
  word.map((rest): [SubjectKind, string] => ['uri', `urn:${rest}`]),
  fc
    .tuple(fc.constantFrom('dns:', 'email:', 'dn:'), word)
    .map(([scheme, rest]): [SubjectKind, string] => ['uri', scheme + rest]),
  word.map((rest): [SubjectKind, string] => ['dns', `h${rest}`]),
  word.map((rest): [SubjectKind, string] => ['email', `${rest}@b`]),
  word.map((rest): [SubjectKind, string] => ['dn', `CN=${rest}`]),
);
const parts: fc.Arbitrary<SubjectParts> = fc
  .tuple(trust, value)
  .map(([trust, [kind, value]]) => ({ trust, kind, value }))
  .filter(({ kind, value }) => isSubject(kind, value));

describe('a subject', () => {
  test('is taken apart into what it was made of, and read back as itself', () => {
    fc.assert(
      fc.property(parts, trust, (made, sole) => {
        const subject = subjectOf(made);
        expect(partsOf(subject)).toEqual(made);
        expect(parseSubject(subject)).toBe(subject);
        expect(parseSubject(subject, sole)).toBe(subject);
        expect(parseSubject(subject.slice(made.trust.length + 1), made.trust)).toBe(subject);
        expect(subject).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 500 },
    );
  });

  test('is equal to another exactly when trust name, kind and value are', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(subjectOf(a) === subjectOf(b)).toBe(a.trust === b.trust && a.kind === b.kind && a.value === b.value);
      }),
      { numRuns: 500 },
    );
  });
});
