import { AccessError } from './errors.js';

/**
 * What an attribute of a distinguished name holds. `text` when the certificate spells it as UTF8String or
 * PrintableString (IA5String for the two types that are defined so), which RFC 5280 section 7.1 compares as characters;
 * every other string type stays `der`, the whole encoding, so that names which merely look alike never become equal.
 */
export type AttributeValue = { readonly text: string } | { readonly der: Uint8Array };

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;

/** Bytes per character of every string type of ASN.1; what is not here is no string. */
const WIDTHS: ReadonlyMap<number, number> = new Map([
  [UTF8_STRING, 1],
  [0x12, 1], // NumericString
  [PRINTABLE_STRING, 1],
  [0x14, 1], // TeletexString
  [IA5_STRING, 1],
  [0x1a, 1], // VisibleString
  [0x1b, 1], // GeneralString
  [0x1c, 4], // UniversalString
  [0x1e, 2], // BMPString
]);

/** domainComponent and emailAddress: the types whose own syntax is IA5String. */
const IA5_TYPES: ReadonlySet<string> = new Set(['0.9.2342.19200300.100.1.25', '1.2.840.113549.1.9.1']);

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/**
 * The value that `der`, one whole element, stands for in an attribute of this type. Both certificates and `#…` in
 * written names come through here, so one value has one reading.
 *
 * @throws {AccessError} `invalid_subject`, for broken encodings and for control characters
 */
export function valueFromDer(type: string, der: Uint8Array): AttributeValue {
  const { tag, contents } = elementOf(der);
  const width = WIDTHS.get(tag);
  if (width === undefined) return { der };
  if (hasControlCharacter(contents, width)) throw invalid('control character', der);
  if (tag === UTF8_STRING) return { text: utf8(contents, der) };
  const text = Array.from(contents, (byte) => String.fromCharCode(byte)).join('');
  if (tag === PRINTABLE_STRING && PRINTABLE.test(text)) return { text };
  if (tag === IA5_STRING && IA5_TYPES.has(type) && /^[\x20-\x7e]*$/.test(text)) return { text };
  return { der };
}

/** Whether a reader that stops at NUL, a terminal or a log would take this text for another. */
export function hasControlCharacter(units: ArrayLike<number>, width = 1): boolean {
  if (units.length % width !== 0) return true;
  for (let i = 0; i < units.length; i += width) {
    let character = 0;
    for (let j = i; j < i + width; j++) character = character * 256 + units[j]!;
    if (character < 0x20 || character === 0x7f) return true;
  }
  return false;
}

/** One element and nothing after it, its length definite and in the shortest form. */
function elementOf(der: Uint8Array): { readonly tag: number; readonly contents: Uint8Array } {
  const [tag = 0, first = 0x80] = der;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const length = der.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  const contents = der.subarray(2 + lengthBytes);
  const shortest = lengthBytes === 0 || (lengthBytes <= 2 && length >= (lengthBytes === 1 ? 0x80 : 0x100));
  const complete = contents.length === (lengthBytes === 0 ? first : length);
  if (first === 0x80 || !shortest || !complete || (tag & 0x1f) === 0x1f) throw invalid('no single DER element', der);
  return { tag, contents };
}

function utf8(contents: Uint8Array, der: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(contents);
  } catch {
    throw invalid('bytes that are not UTF-8', der);
  }
}

function invalid(what: string, der: Uint8Array): AccessError {
  const hex = [...der.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return new AccessError('invalid_subject', `${what} in the value "#${hex}${der.length > 32 ? '…' : ''}" of a name`);
}
