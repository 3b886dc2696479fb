import { randomBelow } from './random';

const FIRST_MS: u32 = 100;
const MOST_MS: u32 = 2_000;

/** How long to wait before the next attempt: soon at first, then ever longer, and never all guards at the same moment. */
@final
export class Backoff {
  private delay: u32 = FIRST_MS;
  private until: i64 = 0;

  /** Begins to wait: between half of the delay and all of it. */
  begin(now: i64): void {
    this.until = now + this.delay / 2 + randomBelow(this.delay / 2);
    this.delay = min(this.delay * 2, MOST_MS);
  }

  isOver(now: i64): bool {
    return now >= this.until;
  }

  /** The next wait is the first again. */
  reset(): void {
    this.delay = FIRST_MS;
  }
}
