import { hasControlCharacter, valueFromDer } from '../domain/dn-value.js';
import type { Attribute, Dn, Rdn } from '../domain/dn.js';
import { AccessError } from '../domain/errors.js';
import { oidOf } from './der-values.js';
import { CertificateError, TAG, type DerReader, type Element } from './der.js';

/** A distinguished name as it lies in the certificate, and taken apart. */
export interface Name {
  /** What names are compared by: equal bytes and nothing else. */
  readonly der: Uint8Array;
  readonly dn: Dn;
}

/** Reads the Name that comes next. */
export function readName(from: DerReader, what: string): Name {
  const element = from.element(TAG.sequence, what);
  const rdns = from.into(element.contents);
  const dn: Rdn[] = [];
  while (rdns.next !== undefined) dn.push(readRdn(rdns.inside(TAG.set, what), what));
  return { der: element.der, dn };
}

/** A set is in the order of its encodings and holds nothing twice (X.690 section 11.6): one encoding per name. */
function readRdn(set: DerReader, what: string): Rdn {
  const rdn: Attribute[] = [];
  let last: Buffer | undefined;
  while (set.next !== undefined) {
    const element = set.element(TAG.sequence, what);
    const der = Buffer.from(element.der);
    if (last && Buffer.compare(last, der) >= 0) throw new CertificateError(`${what} has a set out of order`);
    last = der;
    rdn.push(readAttribute(set.into(element.contents), what));
  }
  if (rdn.length === 0) throw new CertificateError(`${what} has an empty part`);
  return rdn;
}

function readAttribute(reader: DerReader, what: string): Attribute {
  const type = oidOf(reader.element(TAG.oid, what), what);
  const { der } = reader.any(what);
  reader.end(what);
  try {
    return { type, value: valueFromDer(type, der) };
  } catch (cause) {
    throw new CertificateError(cause instanceof AccessError ? `${what}: ${cause.message}` : `${what} is broken`, {
      cause,
    });
  }
}

/** The text of an alternative name, all of which are IA5String. */
export function readIa5({ contents }: Element, what: string): string {
  if (hasControlCharacter(contents)) throw new CertificateError(`${what} has a control character`);
  if (contents.some((byte) => byte > 0x7f)) throw new CertificateError(`${what} has a character outside ASCII`);
  return Buffer.from(contents).toString('latin1');
}
