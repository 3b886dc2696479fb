import type { Brand } from './brand.js';
import { parseDn, printDn } from './dn.js';
import { AccessError } from './errors.js';
import type { TrustName } from './names.js';

/**
 * Who a certificate speaks for: trust name, kind, value. Written `corp/spiffe://corp/alice` (a URI),
 * `corp/dns:host.example`, `corp/email:a@example.com` or `corp/dn:CN=alice,O=Acme`. Always printable ASCII, always with
 * the trust name, always in its canonical spelling, so that two subjects are the same exactly when the strings are.
 */
export type Subject = Brand<string, 'Subject'>;

export const SUBJECT_KINDS = ['uri', 'dns', 'email', 'dn'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export interface SubjectParts {
  readonly trust: TrustName;
  readonly kind: SubjectKind;
  readonly value: string;
}

const MAX_LENGTH = 2_048;

// The schemes `dns`, `email` and `dn` are kinds here; a URI of such a scheme would print like a subject of that kind.
const URI = /^(?!(?:dns|email|dn):)[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/;
// SPIFFE-ID specification, section 2: what a trust domain and a path may hold.
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;
const DNS =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
const EMAIL = /^[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;

const EXPECTED: Record<SubjectKind, string> = {
  uri: 'a URI such as spiffe://corp/alice',
  dns: 'a host name such as host.example, without wildcard or trailing dot',
  email: 'an address such as a@example.com',
  dn: 'a distinguished name such as CN=alice,O=Acme',
};

/** @throws {AccessError} `invalid_subject`, when `value` is not what its kind looks like */
export function subjectOf({ trust, kind, value }: SubjectParts): Subject {
  if (!isValue(kind, value))
    throw new AccessError('invalid_subject', `expected ${EXPECTED[kind]}, got ${JSON.stringify(value)}`);
  const text = kind === 'uri' ? value : `${kind}:${value}`;
  return `${trust}/${text}` as Subject;
}

/**
 * Reads a subject as a person writes it. The trust name may be left out where there is exactly one trust entry,
 * `soleTrust`; a `dn:` may be in any RFC 4514 spelling.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parseSubject(text: string, soleTrust?: TrustName): Subject {
  const [, prefix, rest] = /^(?:([a-z0-9][a-z0-9._-]*)\/)?(.*)$/s.exec(text)!;
  const trust = (prefix as TrustName | undefined) ?? soleTrust;
  if (!trust)
    throw new AccessError('invalid_subject', `subject must begin with the name of its trust entry, as in corp/${text}`);
  const kind = /^(dns|email|dn):/.exec(rest!)?.[1] as SubjectKind | undefined;
  if (!kind) return subjectOf({ trust, kind: 'uri', value: rest! });
  const value = rest!.slice(kind.length + 1);
  return subjectOf({ trust, kind, value: kind === 'dn' ? printDn(parseDn(value)) : value });
}

/** Takes a subject apart again; the inverse of `subjectOf`. */
export function partsOf(subject: Subject): SubjectParts {
  const slash = subject.indexOf('/');
  const trust = subject.slice(0, slash) as TrustName;
  const text = subject.slice(slash + 1);
  const kind = /^(dns|email|dn):/.exec(text)?.[1] as SubjectKind | undefined;
  return kind ? { trust, kind, value: text.slice(kind.length + 1) } : { trust, kind: 'uri', value: text };
}

function isValue(kind: SubjectKind, value: string): boolean {
  if (value.length > MAX_LENGTH) return false;
  switch (kind) {
    case 'uri':
      return URI.test(value) && (!value.startsWith('spiffe:') || SPIFFE.test(value));
    case 'dns':
      return DNS.test(value);
    case 'email':
      return EMAIL.test(value);
    case 'dn':
      return isCanonicalDn(value);
  }
}

function isCanonicalDn(value: string): boolean {
  try {
    return printDn(parseDn(value)) === value;
  } catch {
    return false;
  }
}
