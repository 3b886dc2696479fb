import { bitsOf, booleanOf, oidOf, unsignedHex } from './der-values.js';
import { CertificateError, TAG, type DerReader } from './der.js';
import { readIa5 } from './name.js';

/** What a certificate may be used for, and the names beside its subject. Null where the extension is missing. */
export interface Extensions {
  readonly names: AlternativeNames | null;
  /** The CA flag; false where basicConstraints is missing. */
  readonly ca: boolean;
  readonly keyUsage: ReadonlySet<KeyUsage> | null;
  /** Dotted OIDs. */
  readonly extendedKeyUsage: readonly string[] | null;
}

interface AlternativeNames {
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly email: readonly string[];
  /** How many there are of all other types (addresses, directory names, …). */
  readonly others: number;
}

// In the order of their bits (RFC 5280 section 4.2.1.3).
const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
type KeyUsage = (typeof KEY_USAGES)[number];

/** What a client certificate is for (RFC 5280 section 4.2.1.12). */
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** Every purpose there is, as some CAs write it. */
export const ANY_USAGE = '2.5.29.37.0';

const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const NAME_CONSTRAINTS = '2.5.29.30';
const EXTENDED_KEY_USAGE = '2.5.29.37';

/** Reads the list of extensions. One that is critical and unknown refuses the certificate, and so does a repeated one. */
export function readExtensions(list: DerReader): Extensions {
  const values = new Map<string, DerReader>();
  while (list.next !== undefined) {
    const { oid, critical, value } = readExtension(list.inside(TAG.sequence, 'an extension'), list);
    if (values.has(oid)) throw new CertificateError(`extension ${oid} is there twice`);
    if (critical && !KNOWN.has(oid)) throw new CertificateError(`extension ${oid} is critical and not known`);
    values.set(oid, value);
  }
  if (values.size === 0) throw new CertificateError('the list of extensions is empty');
  // Constraints that are not applied must not be passed over, critical or not.
  if (values.has(NAME_CONSTRAINTS))
    throw new CertificateError('name constraints are not supported; list what the CA may speak for under "names"');
  return {
    names: read(values, ALTERNATIVE_NAME, readAlternativeNames),
    ca: read(values, BASIC_CONSTRAINTS, readBasicConstraints) ?? false,
    keyUsage: read(values, KEY_USAGE, readKeyUsage),
    extendedKeyUsage: read(values, EXTENDED_KEY_USAGE, readExtendedKeyUsage),
  };
}

/** What a certificate without extensions says. */
export const NO_EXTENSIONS: Extensions = { names: null, ca: false, keyUsage: null, extendedKeyUsage: null };

const KNOWN: ReadonlySet<string> = new Set([
  KEY_USAGE,
  ALTERNATIVE_NAME,
  BASIC_CONSTRAINTS,
  NAME_CONSTRAINTS, // known, and refused with a better reason
  EXTENDED_KEY_USAGE,
]);

function read<T>(
  values: ReadonlyMap<string, DerReader>,
  oid: string,
  reader: (value: DerReader, what: string) => T,
): T | null {
  const value = values.get(oid);
  if (!value) return null;
  const what = `extension ${oid}`;
  const result = reader(value, what);
  value.end(what);
  return result;
}

function readExtension(extension: DerReader, list: DerReader) {
  const what = 'an extension';
  const oid = oidOf(extension.element(TAG.oid, what), what);
  // DER leaves out a default, yet issuers do write `critical FALSE` and `cA FALSE`; it has no second meaning.
  const flag = extension.optional(TAG.boolean, what);
  const { contents } = extension.element(TAG.octetString, what);
  extension.end(what);
  return { oid, critical: flag ? booleanOf(flag, what) : false, value: list.into(contents) };
}

function readBasicConstraints(value: DerReader, what: string): boolean {
  const constraints = value.inside(TAG.sequence, what);
  const flag = constraints.optional(TAG.boolean, what);
  const ca = flag ? booleanOf(flag, what) : false;
  // How many CAs may follow: leaves are none, and they are all that is judged by a CA here.
  const pathLength = constraints.optional(TAG.integer, what);
  if (pathLength) unsignedHex(pathLength, what);
  constraints.end(what);
  return ca;
}

function readKeyUsage(value: DerReader, what: string): ReadonlySet<KeyUsage> {
  const { bytes } = bitsOf(value.element(TAG.bitString, what), what);
  const usages = KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  if (usages.length === 0) throw new CertificateError(`${what} (key usage) allows nothing`);
  return new Set(usages);
}

function readExtendedKeyUsage(value: DerReader, what: string): readonly string[] {
  const list = value.inside(TAG.sequence, what);
  const oids: string[] = [];
  while (list.next !== undefined) oids.push(oidOf(list.element(TAG.oid, what), what));
  if (oids.length === 0) throw new CertificateError(`${what} (extended key usage) allows nothing`);
  return oids;
}

/** GeneralName of RFC 5280 section 4.2.1.6: context tags 0 to 8, of which 0, 3, 4 and 5 hold other elements. */
const OTHER_TAGS: ReadonlySet<number> = new Set([0xa0, 0xa3, 0xa4, 0xa5, 0x87, 0x88]);

function readAlternativeNames(value: DerReader, what: string): AlternativeNames {
  const list = value.inside(TAG.sequence, what);
  const names = { uri: [] as string[], dns: [] as string[], email: [] as string[], others: 0 };
  while (list.next !== undefined) {
    const entry = list.any(what);
    if (entry.tag === 0x86) names.uri.push(readIa5(entry, 'a URI name'));
    else if (entry.tag === 0x82) names.dns.push(readIa5(entry, 'a DNS name'));
    else if (entry.tag === 0x81) names.email.push(readIa5(entry, 'an e-mail name'));
    else if (OTHER_TAGS.has(entry.tag)) names.others += 1;
    else throw new CertificateError(`${what} (alternative names) has a name of no known type`);
  }
  if (names.uri.length + names.dns.length + names.email.length + names.others === 0)
    throw new CertificateError(`${what} (alternative names) is empty`);
  return names;
}
