import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corp } from '../../test/builders.js';
import { AccessError } from './errors.js';
import { matchesSubject, parseSubjectPattern } from './subject-pattern.js';
import { parseSubject, type Subject } from './subject.js';

const matches = (pattern: string, subject: string) =>
  matchesSubject(parseSubjectPattern(pattern), parseSubject(subject, corp));

test.for<[string, string, boolean]>([
  ['spiffe://corp/alice', 'spiffe://corp/alice', true],
  ['spiffe://corp/alice', 'spiffe://corp/Alice', false],
  ['spiffe://corp/alice', 'spiffe://corp/alice/x', false],
  ['spiffe://corp/alice', 'spiffe://corp2/alice', false],
  ['spiffe://corp/**', 'spiffe://corp/alice', true],
  ['spiffe://corp/**', 'spiffe://corp/a/b/c', true],
  ['spiffe://corp/**', 'spiffe://corp.evil/alice', false],
  ['spiffe://corp/**', 'spiffe://xcorp/alice', false],
  ['spiffe://corp/*', 'spiffe://corp/alice', true],
  ['spiffe://corp/*', 'spiffe://corp/a/b', false],
  ['spiffe://corp/ns/*/sa/*', 'spiffe://corp/ns/prod/sa/web', true],
  ['spiffe://corp/ns/*/sa/*', 'spiffe://corp/ns/prod/x/sa/web', false],
  ['spiffe://corp/ns/*/**', 'spiffe://corp/ns/prod', true],
  ['spiffe://*/alice', 'spiffe://anything/alice', true],
  ['spiffe://**', 'spiffe://anything/a/b', true],
  ['spiffe://**', 'https://corp/a', false],
  ['https://corp/**', 'https://corp/a', true],
  ['https://corp/**', 'https://corp', true],
  ['https://corp/**', 'https://corpx/a', false],
  ['urn:corp:alice', 'urn:corp:alice', true],
  ['spiffe://corp/**', 'dns:corp', false],
  ['dns:host.corp.example', 'dns:host.corp.example', true],
  ['dns:host.corp.example', 'dns:HOST.corp.example', false],
  ['dns:*.corp.example', 'dns:host.corp.example', true],
  ['dns:*.corp.example', 'dns:a.host.corp.example', false],
  ['dns:*.corp.example', 'dns:corp.example', false],
  ['dns:*.corp.example', 'dns:host.xcorp.example', false],
  ['dns:*.corp.example', 'email:x@y.corp.example', false],
  ['email:a@corp.example', 'email:a@corp.example', true],
  ['email:a@corp.example', 'email:b@corp.example', false],
  ['email:*@corp.example', 'email:a.b@corp.example', true],
  ['email:*@corp.example', 'email:a@sub.corp.example', false],
  ['email:*@corp.example', 'email:a@xcorp.example', false],
  ['email:*@corp.example', 'email:a@corp.example.evil', false],
  ['dn:CN=alice,O=Acme', 'dn:CN=alice,O=Acme', true],
  ['dn:cn=alice,o=Acme', 'dn:CN=alice,O=Acme', true],
  ['dn:CN=alice,O=Acme', 'dn:O=Acme,CN=alice', false],
  ['dn:CN=Zoë', 'dn:CN=Zo\\C3\\AB', true],
  ['dn:**,O=Acme', 'dn:CN=alice,O=Acme', true],
  ['dn:**,O=Acme', 'dn:CN=alice,OU=x,O=Acme', true],
  ['dn:**,O=Acme', 'dn:O=Acme', true],
  ['dn:**,O=Acme', 'dn:CN=alice,O=Acme,C=DE', false],
  ['dn:**,O=Acme', 'dn:CN=x\\,O=Acme', false],
  ['dn:**,O=Acme', 'dn:CN=x\\\\,O=Acme', true],
  ['dn:**,O=Acme', 'dn:CN=alice,2.5.4.11=O=Acme', false],
  ['dn:**,o=Acme,c=DE', 'dn:CN=alice,O=Acme,C=DE', true],
  ['dn:**,O=Acme,C=DE', 'dn:CN=alice,O=Acme', false],
  ['dn:**,CN=*', 'dn:CN=alice', false],
  ['dn:CN=*', 'dn:CN=*', true],
])('%s covers %s: %s', ([pattern, subject, want]) => {
  expect(matches(pattern, subject)).toBe(want);
});

test.for([
  '',
  '*',
  '**',
  'alice',
  'corp/spiffe://corp/alice',
  'spiffe://corp',
  'spiffe://corp/',
  'spiffe://corp/a*',
  'spiffe://corp/**/x',
  'spiffe://corp/**/',
  'spiffe://corp//x',
  'spiffe://Corp/**',
  'spiffe:**',
  'spiffe:/**',
  'spiffe://*',
  'SPIFFE://corp/**',
  'spiffe://corp/a b',
  'spiffe://corp/../x',
  'https://corp/a*b',
  'dns:',
  'dns:*',
  'dns:*.',
  'dns:**.corp.example',
  'dns:*.*.corp.example',
  'dns:a*.corp.example',
  'dns:*corp.example',
  'dns:host.example.',
  'email:',
  'email:*',
  'email:*@',
  'email:*@*',
  'email:a*@corp.example',
  'email:@corp.example',
  'email:*@corp..example',
  'dn:',
  'dn:**',
  'dn:**,',
  'dn:*,O=Acme',
  'dn:CN=alice,**',
  'dn:**,CN=a+OU=b',
  'dn:**,O=',
  'dn:CN=alice, O=Acme',
])('no pattern: %j', (text) => {
  expect(() => parseSubjectPattern(text)).toThrow(AccessError);
});

describe('patterns and names cannot be mistaken for each other', () => {
  const word = fc.string({ unit: fc.constantFrom('a', '*', '.', '/', '@', ',', 'C', 'N', '='), maxLength: 6 });
  const subject: fc.Arbitrary<Subject> = fc
    .tuple(fc.constantFrom('spiffe://corp/', 'urn:', 'dns:', 'email:a', 'dn:CN='), word)
    .map(([start, rest]) => {
      try {
        return parseSubject(start + rest, corp);
      } catch {
        return null;
      }
    })
    .filter((made) => made !== null);

  test('a name read as a pattern covers itself and no other name', () => {
    fc.assert(
      fc.property(subject, subject, (a, b) => {
        const pattern = parseSubjectPattern(a.slice('corp/'.length));
        expect(matchesSubject(pattern, a)).toBe(true);
        expect(matchesSubject(pattern, b)).toBe(a === b);
      }),
      { numRuns: 500 },
    );
  });
});
