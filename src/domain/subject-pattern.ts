import { parseDn, printDn } from './dn.js';
import { AccessError } from './errors.js';
import type { TrustName } from './names.js';
import { matchesSegments, parseSegments, type SegmentPattern } from './segments.js';
import { partsOf, splitKind, subjectOf, type Subject, type SubjectKind } from './subject.js';

/**
 * A set of names within one trust entry, as written in `names:` and `who: { subjects: … }`:
 *
 *     spiffe://corp/**          everything under it (`*` one segment, `**` the rest, only at the end)
 *     dns:*.corp.example        one label in front
 *     email:*@corp.example      every address of the domain
 *     dn:**,O=Acme,C=DE         every name that ends so, this name itself included
 *
 * and each of them without a star for exactly one name. Case counts everywhere, as it does in names.
 */
export type SubjectPattern =
  | { readonly kind: 'uri'; readonly scheme: string; readonly segments: SegmentPattern }
  | { readonly kind: 'dns' | 'email' | 'dn'; readonly exact: string }
  | { readonly kind: 'dns'; readonly parent: string }
  | { readonly kind: 'email'; readonly domain: string }
  | { readonly kind: 'dn'; readonly suffix: string };

/**
 * Refuses what no subject can ever match: a misspelt pattern would deny, or fail to lock, without anybody noticing.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parseSubjectPattern(text: string): SubjectPattern {
  const { kind, value } = splitKind(text);
  const pattern = read(kind, value);
  if (!pattern) {
    const examples = 'spiffe://corp/**, dns:*.corp.example, email:*@corp.example or dn:**,O=Acme';
    throw new AccessError('invalid_subject', `expected a pattern such as ${examples}, got ${JSON.stringify(text)}`);
  }
  return pattern;
}

/** The one spelling of a pattern. */
export function printSubjectPattern(pattern: SubjectPattern): string {
  if ('segments' in pattern) return `${pattern.scheme}${pattern.segments.join('/')}`;
  if ('exact' in pattern) return `${pattern.kind}:${pattern.exact}`;
  if ('parent' in pattern) return `dns:*.${pattern.parent}`;
  if ('domain' in pattern) return `email:*@${pattern.domain}`;
  return `dn:**,${pattern.suffix}`;
}

/** Whether the pattern covers the subject. The subject's trust entry is the caller's business. */
export function matchesSubject(pattern: SubjectPattern, subject: Subject): boolean {
  const { kind, value } = partsOf(subject);
  if (pattern.kind !== kind) return false;
  if ('segments' in pattern) {
    return value.startsWith(pattern.scheme) && matchesSegments(pattern.segments, value, pattern.scheme.length);
  }
  if ('exact' in pattern) return pattern.exact === value;
  if ('parent' in pattern) {
    const dot = value.indexOf('.');
    return dot > 0 && value.slice(dot + 1) === pattern.parent;
  }
  if ('domain' in pattern) return value.endsWith(`@${pattern.domain}`);
  return endsInWholeRdn(value, pattern.suffix);
}

/** By parts, not by characters: an escaped comma inside a value is no border between parts. */
function endsInWholeRdn(value: string, suffix: string): boolean {
  if (!value.endsWith(suffix)) return false; // the usual no, without parsing
  const names = parseDn(value);
  const wanted = parseDn(suffix);
  return printDn(names.slice(0, wanted.length)) === suffix;
}

function read(kind: SubjectKind, value: string): SubjectPattern | null {
  switch (kind) {
    case 'uri':
      return readUri(value);
    case 'dns':
      return value.startsWith('*.')
        ? { kind, parent: checked(kind, value, `x.${value.slice(2)}`).slice(2) }
        : { kind, exact: checked(kind, value) };
    case 'email':
      return value.startsWith('*@')
        ? { kind, domain: checked(kind, value, `x@${value.slice(2)}`).slice(2) }
        : { kind, exact: checked(kind, value) };
    case 'dn':
      return value.startsWith('**,')
        ? { kind, suffix: checked(kind, value, printDn(parseDn(value.slice(3)))) }
        : { kind, exact: checked(kind, value, printDn(parseDn(value))) };
  }
}

function readUri(value: string): SubjectPattern | null {
  const [, scheme, rest] = /^([^:]*:(?:\/\/)?)(.+)$/s.exec(value) ?? [];
  const segments = rest === undefined ? null : parseSegments(rest);
  if (scheme === undefined || segments === null) return null;
  const specimen = segments.map((segment) => (segment === '*' ? 'x' : segment === '**' ? 'x/x' : segment));
  checked('uri', value, scheme + specimen.join('/'));
  return { kind: 'uri', scheme, segments };
}

/** `specimen`, if it could be a subject's value; `pattern` is what the message quotes. */
function checked(kind: SubjectKind, pattern: string, specimen = pattern): string {
  try {
    subjectOf({ trust: 'any' as TrustName, kind, value: specimen });
    return specimen;
  } catch {
    throw new AccessError(
      'invalid_subject',
      `no name can match the pattern ${JSON.stringify(pattern)}: put a star for whole parts only, as in spiffe://corp/**`,
    );
  }
}
