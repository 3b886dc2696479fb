import { EXIT } from './exit-codes.js';
import type { Shell } from './shell.js';

/** Milliseconds. Sooner than this nobody presses a key again: npm in front passes on what the terminal has sent already. */
const SAME_MS = 250;

/** Aborted when the process is told to end. Told a second time, it ends at once. */
export function endingSignal({ signals, time }: Pick<Shell, 'signals' | 'time'>): AbortSignal {
  const ending = new AbortController();
  let told = 0;
  const hear = () => {
    if (!ending.signal.aborted) told = time.mono();
    else if (time.mono() - told > SAME_MS) signals.endNow(EXIT.interrupted);
    ending.abort();
  };
  signals.on('SIGTERM', hear);
  signals.on('SIGINT', hear);
  return ending.signal;
}
