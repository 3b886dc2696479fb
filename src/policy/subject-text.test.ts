import { expect, test } from 'vitest';
import type { TrustName } from '../domain/names.js';
import { printSubjectPattern } from '../domain/subject-pattern.js';
import { printTrustedPattern } from '../domain/who.js';
import { parseClaim, parsePattern, parseWhoPattern } from './subject-text.js';

const corp = 'corp' as TrustName;
const partner = 'partner' as TrustName;

test.for([
  ['spiffe://corp/alice', 'corp/spiffe://corp/alice'],
  ['corp/spiffe://corp/alice', 'corp/spiffe://corp/alice'],
  ['email:a@example.com', 'corp/email:a@example.com'],
  ['dn:cn=alice, o=Acme'.replace(', ', ','), 'corp/dn:CN=alice,O=Acme'],
] as const)('with one trust entry, %s is claimed as %s', ([text, subject]) => {
  expect(parseClaim(text, [corp])).toBe(subject);
});

test('a claim under an entry that is not configured is refused, with the name that was meant', () => {
  expect(() => parseClaim('crop/dns:h.example', [corp, partner])).toThrow('got "crop"; did you mean "corp"?');
  expect(() => parseClaim('other/dns:h.example', [corp, partner])).toThrow('got "other"; there are: corp, partner');
  expect(() => parseWhoPattern('other/dns:*.example', [corp, partner])).toThrow('there are: corp, partner');
});

test('with two trust entries both claims and patterns must name theirs', () => {
  expect(() => parseClaim('dns:h.example', [corp, partner])).toThrow('name of a trust entry in front');
  expect(() => parseWhoPattern('dns:*.example', [corp, partner])).toThrow('name of a trust entry in front');
  expect(printTrustedPattern(parseWhoPattern('partner/dns:*.example', [corp, partner]))).toBe('partner/dns:*.example');
});

test.for([
  'spiffe://corp/**',
  'spiffe://corp/*/batch',
  'spiffe://corp/alice',
  'dns:*.corp.example',
  'dns:h.corp.example',
  'email:*@corp.example',
  'email:a@corp.example',
  'dn:**,O=Acme,C=DE',
  'dn:CN=a\\,b,O=Acme',
])('%s is printed as it was read', (text) => {
  expect(printSubjectPattern(parsePattern(text))).toBe(text);
});

test('a distinguished name is printed in its one spelling', () => {
  expect(printSubjectPattern(parsePattern('dn:**,o=Acme,2.5.4.6=DE'))).toBe('dn:**,O=Acme,C=DE');
});

test.for([
  'dn:CN=*,O=Acme',
  'dn:CN=a,**',
  'dn:**,O=*',
  'spiffe://corp/a*',
  'dns:*',
  'email:*',
  '*',
  '',
  'spiffe://Corp/x',
])('the pattern %j is refused: it looks like more than it matches', (text) => {
  expect(() => parsePattern(text)).toThrow(/expected|no name can match/);
});
