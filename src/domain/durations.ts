import { AccessError } from './errors.js';
import { days, hours, minutes, seconds, type Duration } from './time.js';

/** No access outlives this, whatever a policy says: there are no permanent grants. */
export const HARD_CEILING = days(7);

/** Ten years. Not a promise to anybody, but far below the lengths at which milliseconds lose whole numbers. */
const LONGEST = days(3_653);

const UNITS = { w: days(7), d: days(1), h: hours(1), m: minutes(1), s: seconds(1) } as const;

// Each unit at most once, largest first; digits only, so no sign, no fraction, no exponent.
const SHORT = /^(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;
const ISO = /^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;

/**
 * Reads `1h30m` or ISO 8601 `PT1H30M`; weeks, days, hours, minutes, seconds. Nothing else: a bare number has no unit,
 * and months and years have no fixed length. The result is between one second and ten years.
 *
 * @throws {AccessError} `invalid_duration`
 */
export function parseDuration(text: string): Duration {
  const match = SHORT.exec(text) ?? ISO.exec(text); // also of nothing: that is no length, and refused as such
  const total = match ? Object.values(UNITS).reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0) : 0;
  if (total < 1_000 || total > LONGEST) {
    const expected = 'a duration between 1s and 3653d, such as 30m, 1h30m or PT8H';
    throw new AccessError('invalid_duration', `expected ${expected}, got ${JSON.stringify(text)}`);
  }
  return total as Duration;
}

/** The canonical spelling, in days to seconds: `1h30m`. Fractions of a second are cut off; less than one, or past, is `0s`. */
export function printDuration(length: Duration): string {
  let rest = Math.max(0, Math.floor(length / 1_000)) * 1_000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    rest -= count * UNITS[unit];
    if (count > 0) text += `${count}${unit}`;
  }
  return text || '0s';
}
