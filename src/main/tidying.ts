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
  alarm,
}: {
  readonly needed: Pick<Dependencies, 'store' | 'clock'>;
  readonly keepDecisions: Duration;
  readonly alarm: (cause: unknown) => void;
}): { close(): void } {
  const tidy = () => {
    const { wall, trusted } = clock.read();
    // With a clock that is too far ahead everything would be too old.
    if (!trusted) return;
    Promise.all([
      store.dropDecisions((wall - keepDecisions) as Instant),
      store.forgetAnswers((wall - ANSWERS_KEPT) as Instant),
    ]).catch(alarm);
  };
  tidy();
  const timer = setInterval(tidy, minutes(10));
  timer.unref();
  return { close: () => clearInterval(timer) };
}
