import type { Instant } from '../domain/time.js';
import { CertificateError, TAG, type Element } from './der.js';

/** A whole number that is not negative, as hexadecimal digits in pairs. */
export function unsignedHex({ contents }: Element, what: string): string {
  const [first, second = 0x80] = contents;
  if (first === undefined) throw new CertificateError(`${what} is empty`);
  if (first >= 0x80) throw new CertificateError(`${what} is negative`);
  if (first === 0 && contents.length > 1 && second < 0x80) throw new CertificateError(`${what} has a needless zero`);
  return Buffer.from(first === 0 && contents.length > 1 ? contents.subarray(1) : contents).toString('hex');
}

/** A truth value. */
export function booleanOf({ contents }: Element, what: string): boolean {
  if (contents.length !== 1 || (contents[0] !== 0x00 && contents[0] !== 0xff))
    throw new CertificateError(`${what} is neither 00 nor ff`);
  return contents[0] === 0xff;
}

/** An object identifier in dotted form. Numbers may be of any size (those of UUIDs have 128 bits). */
export function oidOf({ contents }: Element, what: string): string {
  if (contents.length === 0 || contents.length > 64 || contents.at(-1)! >= 0x80)
    throw new CertificateError(`${what} has a broken identifier`);
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const byte of contents) {
    if (fresh && byte === 0x80) throw new CertificateError(`${what} has an identifier with a needless zero`);
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    fresh = byte < 0x80;
    if (!fresh) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const first = arcs[0]!;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...arcs.slice(1)].join('.');
}

/** The bytes of a bit string; its last `unused` bits are padding and zero. */
export function bitsOf({ contents }: Element, what: string): { readonly bytes: Uint8Array; readonly unused: number } {
  const unused = contents[0];
  const last = contents.length > 1 ? contents.at(-1)! : null;
  if (unused === undefined || unused > 7 || (last === null && unused > 0))
    throw new CertificateError(`${what} is a broken bit string`);
  if (last !== null && last % 2 ** unused !== 0) throw new CertificateError(`${what} has padding that is not zero`);
  return { bytes: contents.subarray(1), unused };
}

/** A bit string of whole bytes. */
export function octetsOf(element: Element, what: string): Uint8Array {
  const { bytes, unused } = bitsOf(element, what);
  if (unused > 0) throw new CertificateError(`${what} is not a number of whole bytes`);
  return bytes;
}

/**
 * A time in one of the two forms of RFC 5280 section 4.1.2.5: to the second, in UTC, with two digits for years up to
 * 2049 and four from 2050 on. A date that no calendar has is refused, as is the leap second.
 */
export function instantOf({ tag, contents }: Element, what: string): Instant {
  const digits = Buffer.from(contents).toString('latin1');
  const short = tag === TAG.utcTime;
  const pattern = short ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const [written, month, day, hour, minute, second] = (pattern.exec(digits)?.slice(1) ?? []).map(Number);
  if (second === undefined)
    throw new CertificateError(`${what} is not a time of the form ${short ? 'YY' : 'YYYY'}MMDDHHMMSSZ`);
  const year = short ? written! + (written! < 50 ? 2000 : 1900) : written!;
  if (!short && year < 2050) throw new CertificateError(`${what} lies before 2050 and must have a year of two digits`);
  const instant = Date.UTC(year, month! - 1, day, hour, minute, second);
  if (
    new Date(instant)
      .toISOString()
      .replaceAll(/[-T:]|\.000/g, '')
      .slice(short ? 2 : 0) !== digits
  )
    throw new CertificateError(`${what} is a date that no calendar has`);
  return instant as Instant;
}
