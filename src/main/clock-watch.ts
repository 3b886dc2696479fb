import { printDay } from '../config/day.js';
import { isLeap, type Clock, type Instant } from '../domain/time.js';
import type { Log } from './log.js';

/** What the machine's clock showed at the start, and the latest time in the store. */
interface Start {
  readonly wall: number;
  readonly mark: Instant;
}

/**
 * Reads the clock every second and says when it becomes suspect and when it is trusted again. The reading itself matters:
 * the clock follows the machine's only while it is read, and drift that has gathered unseen for an hour looks like a step.
 */
export function watchClock(clock: Clock, log: Log, start: Start): { close(): void } {
  let trusted = clock.read().trusted;
  if (!trusted) log.error(whyFromTheStart(start));
  const timer = setInterval(() => {
    const now = clock.read().trusted;
    if (now && !trusted) log.info('the clock is trusted again');
    if (!now && trusted) log.error(STEPPED);
    trusted = now;
  }, 1_000);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const STEPPED =
  'the clock is suspect, everything is denied: the wall clock has stepped; set it right, or start the service again if it is right';

/** Names what to do: a service that denies everything from its start will be looked at by somebody in a hurry. */
function whyFromTheStart({ wall, mark }: Start): string {
  const shows = `the clock is suspect, everything is denied: the clock of this machine showed ${printTime(wall)}`;
  const latest = `the latest time in the store, ${printTime(mark)}`;
  if (!isLeap(wall, mark)) return `${shows}, which is before ${latest}; set it right, or wait until that time has come`;
  return (
    `${shows}, which is more than 30 days after ${latest}; if that is wrong, set the clock right and start the service ` +
    `again; if it is right, because the service was not used for so long, start it with --clock-confirmed ${printDay(wall)}`
  );
}

function printTime(at: number): string {
  return new Date(at).toISOString();
}
