import { setTimeout as sleep } from 'node:timers/promises';
import type { Deliver, Outcome } from './delivery.js';

/** Milliseconds: between the first two tries, between any two, and until the last. */
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
const WITHIN_MS = 600_000;

export interface RetryGiven {
  /** Milliseconds; never steps. */
  readonly mono: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or once the signal is aborted. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Tries again where that may help, with longer and longer pauses and never at the same moment as others, for a bounded time. */
export function retrying(deliver: Deliver, { mono, random, pause = pauseFor }: RetryGiven): Deliver {
  return async (notice, signal) => {
    const until = mono() + WITHIN_MS;
    let next = FIRST_MS;
    for (;;) {
      const tried: Outcome = await deliver(notice, signal);
      if (tried.outcome !== 'later' || signal.aborted) return tried;
      const wait = next * (0.5 + random());
      if (mono() + wait > until) return { outcome: 'failed', why: `${tried.why}; given up after many tries` };
      await pause(wait, signal);
      if (signal.aborted) return tried;
      next = Math.min(2 * next, LONGEST_MS);
    }
  };
}

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
