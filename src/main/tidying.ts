import type { Dependencies } from '../access/dependencies.js';
import { days, minutes, type Duration, type Instant } from '../domain/time.js';

/** How long a repeated call gets the first answer. */
const ANSWERS_KEPT = days(1);

/**
 * Drops what is too old, now and every ten minutes until it is closed. Only tidying: whether access is given never
 * depends on whether this has run.
 */
export function keepTidy({
  needed: { store, clock },
  keepDecisions,
  waitFirst = false,
  alarm,
}: {
  readonly needed: Pick<Dependencies, 'store' | 'clock'>;
  readonly keepDecisions: Duration;
  /** Not at once, but only in ten minutes: time to see that the clock was confirmed and yet is wrong. */
  readonly waitFirst?: boolean;
  readonly alarm: (cause: unknown) => void;
}): { close(): Promise<void> } {
  const end = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const tidy = async () => {
    const { wall, trusted } = clock.read();
    // With a clock that is too far ahead everything would be too old.
    if (!trusted || end.signal.aborted) return;
    await store.dropDecisions((wall - keepDecisions) as Instant, end.signal);
    await store.forgetAnswers((wall - ANSWERS_KEPT) as Instant, end.signal);
    await store.dropDrafts(wall, end.signal);
  };
  /** One after the other: the first time there may be very much. */
  const next = () => {
    running = running.then(tidy).catch(alarm);
  };
  if (!waitFirst) next();
  const timer = setInterval(next, minutes(10));
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      end.abort();
      await running;
    },
  };
}
