import type { Brand } from './brand.js';
import type { Instant } from './time.js';

export type RequestId = Brand<string, 'RequestId'>;
export type ReviewId = Brand<string, 'ReviewId'>;
export type GrantId = Brand<string, 'GrantId'>;
export type LockId = Brand<string, 'LockId'>;
export type DecisionId = Brand<string, 'DecisionId'>;
export type TokenId = Brand<string, 'TokenId'>;
export type SessionId = Brand<string, 'SessionId'>;
export type DraftId = Brand<string, 'DraftId'>;

/** What each prefix names. Grants and drafts are not among them: their ids follow from what they are (`grantIdOf`, `draftIdOf`). */
export interface IdOf {
  req: RequestId;
  rev: ReviewId;
  lock: LockId;
  dec: DecisionId;
  tok: TokenId;
  ses: SessionId;
}

/** Makes ids: prefix, underscore, a UUIDv7 of that instant in base32. They sort by time of birth and are no secrets. */
export type NewId = <P extends keyof IdOf>(prefix: P, at: Instant) => IdOf[P];

// Crockford's alphabet in lower case: byte order is text order, and nothing in it is mistaken for something else.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * 16 bytes as 26 characters of base32 (128 bits, the first character holding three of them).
 *
 * @throws {RangeError} for any other number of bytes: bits would be lost, and two ids become one
 */
export function base32(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an id is made of 16 bytes, got ${bytes.length}`);
  let at = 0;
  let buffer = 0;
  let bits = 2; // 130 bits are written: two leading zeros
  for (let i = 0; i < 16; i++) {
    buffer = (buffer << 8) | bytes[i]!;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      characters[at++] = CODES[(buffer >>> bits) & 31]!;
    }
  }
  return String.fromCharCode.apply(null, characters);
}

const CODES = Array.from(ALPHABET, (character) => character.charCodeAt(0));

/** Of the id that is being made: one text at once, not one for each character that is added. */
const characters = CODES.slice(0, 26);

const ID = /^(req|rev|gr|lock|dec|tok|ses|dft)_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Whether the text is an id of this prefix, in its one spelling. */
export function isId(prefix: keyof IdOf | 'gr' | 'dft', text: string): boolean {
  return ID.exec(text)?.[1] === prefix;
}
