import type { Brand } from './brand.js';
import type { AttributeValue } from './dn-value.js';
import { parseDn, printDn } from './dn.js';
import { AccessError } from './errors.js';
import { NAME, type TrustName } from './names.js';

/**
 * Who a certificate speaks for: trust name, kind, value. Written `corp/spiffe://corp/alice` (a URI),
 * `corp/dns:host.example`, `corp/email:a@example.com` or `corp/dn:CN=alice,O=Acme`. Always printable ASCII, always with
 * the trust name, always in its canonical spelling, so that two subjects are the same exactly when the strings are.
 */
export type Subject = Brand<string, 'Subject'>;

/** The kinds of names that a certificate can have, in the usual order of preference. */
export const SUBJECT_KINDS = ['uri', 'dns', 'email', 'dn'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** A subject taken apart. */
export interface SubjectParts {
  readonly trust: TrustName;
  readonly kind: SubjectKind;
  readonly value: string;
}

const MAX_LENGTH = 2_048;

// RFC 3986 section 2, without `*`: no name looks like a pattern. The schemes `dns`, `email` and `dn` are kinds here;
// a URI of such a scheme would print like a subject of that kind.
const URI = /^(?!(?:dns|email|dn):)[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()+,;=-]|%[0-9A-Fa-f]{2})+$/;
// SPIFFE-ID section 2: what a trust domain and a path may hold. X509-SVID section 5.2: a client has a path.
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
// RFC 1123 section 2.1, and the underscore that hosts are given all the same.
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const DNS = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
// RFC 5321 section 4.1.2, the dotted form of the local part, again without `*`.
const ATOM = "[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+";
const EMAIL = new RegExp(`^(?=[^@]{1,64}@.{1,253}$)${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`);

const EXPECTED: Record<SubjectKind, string> = {
  uri: 'a URI such as spiffe://corp/alice, its scheme in lower case',
  dns: 'a host name such as host.example, without wildcard or trailing dot',
  email: 'an address such as a@example.com',
  dn: 'a distinguished name such as CN=alice,O=Acme, no part of it empty or joined by "+"',
};

/**
 * The subject of these parts; `value` is in its canonical spelling.
 *
 * @throws {AccessError} `invalid_subject`, when `value` is not what its kind looks like
 */
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
  // Every kind and every URI begins with a word and a colon, so a slash before the first colon ends a trust name.
  const [, prefix, rest = ''] = /^(?:([^:/]*)\/)?(.*)$/s.exec(text) ?? [];
  const trust = prefix ?? soleTrust;
  if (trust === undefined || !NAME.test(trust))
    throw new AccessError(
      'invalid_subject',
      `expected the name of a trust entry in front, as in "corp/spiffe://corp/alice", got ${JSON.stringify(text)}`,
    );
  const { kind, value } = splitKind(rest);
  return subjectOf({ trust: trust as TrustName, kind, value: kind === 'dn' ? printDn(parseDn(value)) : value });
}

/** Takes a subject apart again; the inverse of `subjectOf`. */
export function partsOf(subject: Subject): SubjectParts {
  const slash = subject.indexOf('/');
  return { trust: subject.slice(0, slash) as TrustName, ...splitKind(subject.slice(slash + 1)) };
}

/** Takes the kind off a name or a pattern of names; what begins with no kind is a URI. */
export function splitKind(text: string): { readonly kind: SubjectKind; readonly value: string } {
  const kind = /^(dns|email|dn):/.exec(text)?.[1] as SubjectKind | undefined;
  return kind ? { kind, value: text.slice(kind.length + 1) } : { kind: 'uri', value: text };
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

/** One spelling per name. Several attributes in one part have no order, and an empty one names nobody. */
function isCanonicalDn(value: string): boolean {
  try {
    const dn = parseDn(value);
    const plain = dn.every(([attribute, ...more]) => attribute && more.length === 0 && !isEmpty(attribute.value));
    return plain && printDn(dn) === value;
  } catch {
    return false;
  }
}

function isEmpty(value: AttributeValue): boolean {
  return 'text' in value && value.text === '';
}
