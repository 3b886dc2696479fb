import { AccessError } from './errors.js';

// Control characters but tab and line feed, marks that change the direction of text, and characters that show nothing:
// with them what a reviewer reads is not what is stored. (Joiners stay: scripts and emoji need them.)
const FORBIDDEN =
  // oxlint-disable-next-line no-control-regex
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** In UTF-8 bytes. */
const MAX_LENGTH = 4_096;

/**
 * Free text from people (justification, reason, message), trimmed.
 *
 * @throws {AccessError} `invalid_request`
 */
export function plainText(field: string, text: string): string {
  const trimmed = text.trim();
  if (!trimmed.isWellFormed() || FORBIDDEN.test(trimmed)) {
    throw new AccessError(
      'invalid_request',
      `${field} must not hold control characters, invisible characters or marks that change the direction of text`,
    );
  }
  if (new TextEncoder().encode(trimmed).length > MAX_LENGTH) {
    throw new AccessError('invalid_request', `${field} must be at most ${MAX_LENGTH} bytes long`);
  }
  return trimmed;
}
