import { parseDn, printDn } from './dn.js';
import { AccessError } from './errors.js';
import { matchesSegments, parseSegments, type SegmentPattern } from './segments.js';
import { partsOf, type Subject, type SubjectKind } from './subject.js';

/**
 * A set of names within one trust entry, as written in `names:` and `who: { subjects: … }`:
 *
 *     spiffe://corp/**          everything under it (`*` one segment, `**` the rest)
 *     dns:*.corp.example        one label in front
 *     email:*@corp.example      every address of the domain
 *     dn:**,O=Acme,C=DE         every name that ends so
 *
 * and each of them without a star for exactly one name.
 */
export type SubjectPattern =
  | { readonly kind: 'uri'; readonly scheme: string; readonly segments: SegmentPattern }
  | { readonly kind: 'dns' | 'email' | 'dn'; readonly exact: string }
  | { readonly kind: 'dns'; readonly parent: string }
  | { readonly kind: 'email'; readonly domain: string }
  | { readonly kind: 'dn'; readonly suffix: string };

/** @throws {AccessError} `invalid_subject` */
export function parseSubjectPattern(text: string): SubjectPattern {
  const pattern = read(text);
  if (!pattern) {
    const examples = 'spiffe://corp/**, dns:*.corp.example, email:*@corp.example or dn:**,O=Acme';
    throw new AccessError('invalid_subject', `expected a pattern such as ${examples}, got ${JSON.stringify(text)}`);
  }
  return pattern;
}

/** Whether the pattern covers the subject. The subject's trust entry is the caller's business. */
export function matchesSubject(pattern: SubjectPattern, subject: Subject): boolean {
  const { kind, value } = partsOf(subject);
  if (pattern.kind !== kind) return false;
  if ('segments' in pattern) {
    return value.startsWith(pattern.scheme) && matchesSegments(pattern.segments, value.slice(pattern.scheme.length));
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
  const names = parseDn(value);
  const wanted = parseDn(suffix);
  return names.length >= wanted.length && printDn(names.slice(0, wanted.length)) === suffix;
}

function read(text: string): SubjectPattern | null {
  const [, kind, value] = /^(?:(dns|email|dn):)?([\x20-\x7e]+)$/.exec(text) ?? [];
  if (value === undefined) return null;
  switch (kind as SubjectKind | undefined) {
    case 'dns':
      if (value.startsWith('*.') && value.length > 2 && !value.includes('*', 1))
        return { kind: 'dns', parent: value.slice(2) };
      return value.includes('*') ? null : { kind: 'dns', exact: value };
    case 'email':
      if (/^\*@[^*@]+$/.test(value)) return { kind: 'email', domain: value.slice(2) };
      return value.includes('*') ? null : { kind: 'email', exact: value };
    case 'dn':
      if (value.startsWith('**,')) return { kind: 'dn', suffix: printDn(parseDn(value.slice(3))) };
      return { kind: 'dn', exact: printDn(parseDn(value)) };
    default: {
      const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:(?:\/\/)?)(.+)$/.exec(value) ?? [];
      const segments = rest === undefined ? null : parseSegments(rest);
      return scheme && segments ? { kind: 'uri', scheme, segments } : null;
    }
  }
}
