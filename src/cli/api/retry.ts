import type { Time } from '../shell.js';
import { NoAnswer, type WireAnswer } from './exchange.js';

/** Milliseconds between tries; a service that restarts answers again within them. */
const WAITS = [200, 500, 1_000];

/** A person does not wait longer than this for permission to try again. */
const LONGEST_WAIT_MS = 10_000;

interface Trying {
  readonly attempt: () => Promise<WireAnswer>;
  /** Whether doing it twice comes to the same as doing it once. */
  readonly repeatable: boolean;
  readonly time: Pick<Time, 'sleep'>;
}

/**
 * Tries again where that is safe: after a failure that came before anything was sent; after any broken connection when
 * the call may be repeated; and where the service says that it did nothing and one should come back.
 */
export async function withRetries({ attempt, repeatable, time }: Trying): Promise<WireAnswer> {
  for (const wait of WAITS) {
    try {
      const answer = await attempt();
      const asked = waitAskedFor(answer);
      if (asked === null || asked > LONGEST_WAIT_MS) return answer;
      await time.sleep(Math.max(asked, wait));
    } catch (error) {
      if (!(error instanceof NoAnswer) || !(UNSENT.has(error.code) || (repeatable && BROKEN.has(error.code))))
        throw error;
      await time.sleep(wait);
    }
  }
  return attempt();
}

/** The connection was never made. */
const UNSENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The connection broke on the way: the call may have been heard. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Milliseconds after which to come back, where the service did nothing and says so; null for every other answer. */
function waitAskedFor({ status, headers, text }: WireAnswer): number | null {
  if (status === 503 && text.includes('"shutting_down"')) return 0;
  const seconds = Number(headers['retry-after']);
  return status === 429 && Number.isFinite(seconds) ? seconds * 1_000 : null;
}
