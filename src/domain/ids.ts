import type { Brand } from './brand.js';
import type { Instant } from './time.js';

export type RequestId = Brand<string, 'RequestId'>;
export type ReviewId = Brand<string, 'ReviewId'>;
export type GrantId = Brand<string, 'GrantId'>;
export type LockId = Brand<string, 'LockId'>;
export type DecisionId = Brand<string, 'DecisionId'>;
export type TokenId = Brand<string, 'TokenId'>;
export type SessionId = Brand<string, 'SessionId'>;

/** What each prefix names. Grants are not among them: their id follows from the request (see `grantIdOf`). */
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
  let text = '';
  let buffer = 0;
  let bits = 2; // 130 bits are written: two leading zeros
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >>> bits) & 31];
    }
  }
  return text;
}

const ID = /^(req|rev|gr|lock|dec|tok|ses)_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Whether the text is an id of this prefix, in its one spelling. */
export function isId(prefix: keyof IdOf | 'gr', text: string): boolean {
  return ID.exec(text)?.[1] === prefix;
}
