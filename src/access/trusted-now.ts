import { AccessError } from '../domain/errors.js';
import type { Clock, Instant } from '../domain/time.js';

/**
 * The time for a change that gives access or leads to it. (Ending access asks the clock itself and never waits for it.)
 *
 * @throws {AccessError} `clock_suspect`
 */
export function trustedNow(clock: Clock): Instant {
  const { wall, trusted } = clock.read();
  if (trusted) return wall;
  throw new AccessError(
    'clock_suspect',
    'the clock of the service is suspect, so nothing can be done that gives access; its operator must look at it',
  );
}
