import type { Clock } from '../domain/time.js';
import type { Log } from './log.js';

/**
 * Reads the clock every second and says when it becomes suspect and when it is trusted again. The reading itself matters:
 * the clock follows the machine's only while it is read, and drift that has gathered unseen for an hour looks like a step.
 */
export function watchClock(clock: Clock, log: Log): { close(): void } {
  let trusted = clock.read().trusted;
  if (!trusted) log.error(SUSPECT);
  const timer = setInterval(() => {
    const now = clock.read().trusted;
    if (now && !trusted) log.info('the clock is trusted again');
    if (!now && trusted) log.error(SUSPECT);
    trusted = now;
  }, 1_000);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const SUSPECT =
  'the clock is suspect, everything is denied: the wall clock has stepped, or lies before the latest time in the store; set it right, or start the service again if it is right';
