import { AccessError } from '../domain/errors.js';
import type { TrustName } from '../domain/names.js';
import { parseSubjectPattern, printSubjectPattern, type SubjectPattern } from '../domain/subject-pattern.js';
import { parseSubject, partsOf, type Subject } from '../domain/subject.js';
import type { TrustedPattern } from '../domain/who.js';
import { didYouMean } from '../domain/near-miss.js';

/**
 * A subject that a person claims. `trust` names the trust entries there are; with exactly one the name may be left out.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parseClaim(text: string, trust: readonly TrustName[]): Subject {
  const subject = parseSubject(text, soleOf(trust));
  assertTrusted(partsOf(subject).trust, trust);
  return subject;
}

/**
 * A pattern of subjects under one trust entry, whose name may be left out as in a claim.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parseWhoPattern(text: string, trust: readonly TrustName[]): TrustedPattern {
  // Every kind and every URI begins with a word and a colon, so a slash before the first colon ends a trust name.
  const [, prefix, rest = ''] = /^(?:([^:/]*)\/)?(.*)$/s.exec(text) ?? [];
  const name = (prefix as TrustName | undefined) ?? soleOf(trust);
  if (name === undefined) {
    throw new AccessError(
      'invalid_subject',
      `expected the name of a trust entry in front, as in corp/spiffe://corp/**, got ${JSON.stringify(text)}`,
    );
  }
  assertTrusted(name, trust);
  return { trust: name, pattern: parsePattern(rest) };
}

/**
 * A pattern of subjects within one trust entry, as in `names:`.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parsePattern(text: string): SubjectPattern {
  const pattern = parseSubjectPattern(text);
  if (pattern.kind === 'dn' && printSubjectPattern(pattern).replace('**,', '').includes('*')) {
    // A name may hold a star, but whoever writes one in a pattern means any name, and would be admitting nobody.
    throw new AccessError(
      'invalid_subject',
      `expected a star in a dn pattern only as "**," in front, got ${JSON.stringify(text)}`,
    );
  }
  return pattern;
}

function soleOf(trust: readonly TrustName[]): TrustName | undefined {
  return trust.length === 1 ? trust[0] : undefined;
}

function assertTrusted(name: TrustName, trust: readonly TrustName[]): void {
  if (trust.includes(name)) return;
  const hint = didYouMean(name, trust) || `; there are: ${trust.join(', ')}`;
  throw new AccessError('invalid_subject', `expected the name of a trust entry, got ${JSON.stringify(name)}${hint}`);
}
