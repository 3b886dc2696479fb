import { Ends } from './ends';
import { Session } from './session';

// The service's clock less our monotonic one. The clock of Envoy's host has no say: it may be wrong, and it may be set.
let known = false;
let ahead: i64 = 0;
// The least of it that ends have been held against.
let applied: i64 = 0;

/** Less than this is the time that messages take. */
const TOLERANCE_MS: i64 = 250;

/** Numbers beyond it are no time. */
const MOST_WALL: i64 = 9_007_199_254_740_991;

/**
 * When a session ends by monotonic time: after the time that remains, or when the service's clock says so, whichever comes
 * first. A message was on its way for a while, so the service's clock is taken for a little behind, never ahead.
 */
export function endOf(now: i64, remaining: i64, wallEnd: i64): i64 {
  const end = now + remaining;
  return known ? min(end, wallEnd - ahead) : end;
}

/**
 * Takes the service's clock out of a heartbeat. When it has gone ahead of monotonic time (it was set, or this machine slept
 * while monotonic time stood still) sessions end that much earlier.
 */
export function hearClock(wall: i64, now: i64, ends: Ends): void {
  if (wall <= 0 || wall > MOST_WALL) return;
  ahead = wall - now;
  const jumped = known && ahead > applied + TOLERANCE_MS;
  if (jumped) bringForward(ends);
  if (!known || jumped || ahead < applied) applied = ahead;
  known = true;
}

function bringForward(ends: Ends): void {
  // Ends only come earlier. Whoever moves up in the heap changes places with one that was already looked at or is its parent,
  // so a second look may be wasted but none is missed.
  for (let place = 0; place < ends.count; place++) {
    const session = changetype<Session>(ends.get(place));
    const end = session.wallEnd - ahead;
    if (end < session.end) ends.change(session, end);
  }
}
