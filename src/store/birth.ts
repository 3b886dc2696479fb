import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The time in an id: the first 48 of its 128 bits, which two leading zeros make ten digits of base32. Ids are made for
 * the time of what they name, so this is where it lies.
 */
export function birthOf(id: DecisionId): Instant {
  let time = 0;
  for (const digit of id.slice('dec_'.length, 'dec_'.length + 10)) time = time * 32 + DIGITS.indexOf(digit);
  return time as Instant;
}
