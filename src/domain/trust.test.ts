import { expect, test } from 'vitest';
import { corp } from '../../test/builders.js';
import type { TrustName } from './names.js';
import { parseSubjectPattern } from './subject-pattern.js';
import { parseSubject } from './subject.js';
import { maySpeakFor, type TrustEntry } from './trust.js';

const entry = (names: readonly string[] | null): TrustEntry => ({
  name: corp,
  subject: ['uri'],
  names: names?.map(parseSubjectPattern) ?? null,
});

test.for<[string, readonly string[] | null, string, boolean]>([
  ['any of its own names when none are listed', null, 'corp/spiffe://anything/x', true],
  ['a listed name', ['spiffe://corp/**'], 'corp/spiffe://corp/alice', true],
  ['a name under the second pattern', ['spiffe://corp/**', 'email:*@corp.example'], 'corp/email:a@corp.example', true],
  ['no name that is not listed', ['spiffe://corp/**'], 'corp/spiffe://partner/alice', false],
  ['nothing when the list is empty', [], 'corp/spiffe://corp/alice', false],
  ['no subject of another entry', null, 'partner/spiffe://corp/alice', false],
  ['no subject of another entry that its patterns cover', ['spiffe://**'], 'partner/spiffe://corp/alice', false],
])('a trust entry may speak for %s', ([, names, subject, want]) => {
  expect(maySpeakFor(entry(names), parseSubject(subject, 'unused' as TrustName))).toBe(want);
});
