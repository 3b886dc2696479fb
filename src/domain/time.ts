import type { Brand } from './brand.js';

/** Milliseconds since the Unix epoch, UTC; a whole number. */
export type Instant = Brand<number, 'Instant'>;

/** A length of time in whole milliseconds. */
export type Duration = Brand<number, 'Duration'>;

export const seconds = (n: number) => (n * 1_000) as Duration;
export const minutes = (n: number) => seconds(n * 60);
export const hours = (n: number) => minutes(n * 60);
export const days = (n: number) => hours(n * 24);
/** The instant `length` later. */
export const after = (start: Instant, length: Duration) => (start + length) as Instant;
/** The first of several instants. */
export const earliest = (...instants: Instant[]) => Math.min(...instants) as Instant;

/** One reading of the time. `trusted` is false when wall and monotonic clock disagree: then every check is denied. */
export interface Reading {
  /** The time to decide with. Within a process it never decreases and never jumps. */
  readonly wall: Instant;
  /** Milliseconds since some fixed moment; never steps. For lengths of time. */
  readonly mono: number;
  readonly trusted: boolean;
}

/** Where time comes from: an argument, so that tests decide what time it is. */
export interface Clock {
  read(): Reading;
}

/** How far wall and monotonic time may be apart before the clock is suspect (ε of the time properties). */
export const CLOCK_TOLERANCE = seconds(2);

/** The fastest legitimate drift between the two clocks: NTP slewing and leap smears stay below 500 ppm. */
const SLEW = 500e-6;

/**
 * A clock that carries the wall time of its start forward on the monotonic clock, and follows the wall clock
 * only as fast as a healthy one can drift. So its time never steps, neither back (a grant would live longer) nor
 * forward (a later grant would start early); when the wall clock is more than the tolerance away from it, readings
 * are untrusted until the two agree again, or until a restart begins anew.
 *
 * A clock that merely refused to go back would lengthen every grant by the step; this one says that it is suspect.
 *
 * Read it at least once an hour: what a healthy clock may drift in a longer silence is more than the tolerance, and
 * would be suspect.
 *
 * `notBefore` is the persisted high-water mark, the latest time this service has ever answered with. Time before it
 * is untrusted (the machine's clock went back while the service was down); within the tolerance time goes on from it.
 * A start that leaps ahead of it is untrusted too, unless `confirmed` (midnight UTC of a day) says that it is that day. Time
 * then goes on from the mark: whatever is written meanwhile must not raise the mark to where the wrong clock is.
 */
export function checkedClock(
  wall: () => number,
  mono: () => number,
  notBefore: Instant,
  confirmed: Instant | null = null,
): Clock {
  let last = { mono: mono(), wall: beginning(wall(), notBefore, confirmed) };
  return {
    read() {
      const now = { wall: wall(), mono: mono() };
      const elapsed = Math.max(0, now.mono - last.mono);
      const expected = last.wall + elapsed;
      const error = now.wall - expected;
      const agree = Math.abs(error) <= CLOCK_TOLERANCE;
      const correction = agree ? Math.sign(error) * Math.min(Math.abs(error), elapsed * SLEW) : 0;
      last = { mono: Math.max(now.mono, last.mono), wall: expected + correction };
      const floor = Math.floor(last.wall) as Instant;
      return { wall: floor, mono: last.mono, trusted: agree && floor >= notBefore };
    },
  };
}

/** The longest that a service may have been out of use and still believe its machine's clock without anybody's word. */
const LONGEST_PAUSE = days(30);

/** Whether a clock is further ahead of the high-water mark than a pause explains. In a new store (0) there is no mark. */
export function isLeap(wall: number, notBefore: Instant): boolean {
  return notBefore > 0 && wall - notBefore > LONGEST_PAUSE;
}

function beginning(wall: number, notBefore: Instant, confirmed: Instant | null): number {
  const isConfirmed = confirmed !== null && wall >= confirmed && wall < after(confirmed, days(1));
  if (isLeap(wall, notBefore) && !isConfirmed) return notBefore;
  return notBefore - wall <= CLOCK_TOLERANCE ? Math.max(wall, notBefore) : wall;
}

/** Test clock. Time passes only when a test says so. */
export function fakeClock(start = Date.UTC(2026, 0, 1) as Instant) {
  let wall = start;
  let trusted = true;
  return {
    read: (): Reading => ({ wall, mono: wall, trusted }),
    advance: (by: Duration) => {
      wall = after(wall, by);
    },
    distrust: () => {
      trusted = false;
    },
  };
}
