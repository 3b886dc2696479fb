import type { Instant } from '../domain/time.js';

/** One element of DER from its tag and the parts of its content. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
}

/** A sequence, its members in the order given. */
export function sequence(...members: readonly Uint8Array[]): Buffer {
  return element(0x30, ...members);
}

/** A set has no order of its own; in DER its members stand in the order of their encodings. */
export function set(...members: readonly Uint8Array[]): Buffer {
  return element(0x31, ...members.toSorted((a, b) => Buffer.compare(a, b)));
}

/** A constructed element with a context-specific tag, `[number]`. */
export function context(number: number, ...members: readonly Uint8Array[]): Buffer {
  return element(0xa0 + number, ...members);
}

/** A whole number that is not negative. */
export function integer(value: bigint): Buffer {
  const bytes = bigEndian(value);
  return bytes[0]! >= 0x80 ? element(0x02, Buffer.of(0), bytes) : element(0x02, bytes);
}

/** A truth value; DER leaves out those that are a field's default. */
export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.of(value ? 0xff : 0x00));
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  return element(0x06, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

/** A string of bits, the last `unused` of which are padding. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return element(0x03, Buffer.of(unused), bytes);
}

/** A string of bytes, in which extensions wrap their values. */
export function octetString(bytes: Uint8Array): Buffer {
  return element(0x04, bytes);
}

const STRING_TAG = { utf8: 0x0c, printable: 0x13, teletex: 0x14, ia5: 0x16, bmp: 0x1e } as const;
/** The string types that names are made of. */
export type StringType = keyof typeof STRING_TAG;

/** The text in the encoding of its string type; what does not fit is the caller's business. */
export function string(type: StringType, text: string): Buffer {
  const bytes =
    type === 'bmp' ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, type === 'utf8' ? 'utf8' : 'latin1');
  return element(STRING_TAG[type], bytes);
}

/** UTCTime up to 2049 and GeneralizedTime from 2050 on, to the second (RFC 5280 section 4.1.2.5). */
export function time(at: Instant): Buffer {
  const digits = `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`;
  return digits < '2050' ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes = bigEndian(BigInt(length));
  return Buffer.concat([Buffer.of(0x80 + bytes.length), bytes]);
}

function bigEndian(value: bigint): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

function base128(arc: bigint): number[] {
  const digits = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 0x7fn) | 0x80);
  return digits;
}
