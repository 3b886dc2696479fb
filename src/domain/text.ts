import { AccessError } from './errors.js';

// Control characters but tab and line feed, and the marks that change the direction of text: with them what a reviewer
// reads is not what is stored.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

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
    throw new AccessError('invalid_request', `${field} must not hold control characters or marks that change the direction of text`);
  }
  if (new TextEncoder().encode(trimmed).length > MAX_LENGTH) {
    throw new AccessError('invalid_request', `${field} must be at most ${MAX_LENGTH} bytes long`);
  }
  return trimmed;
}
