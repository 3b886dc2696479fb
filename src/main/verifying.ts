import { setImmediate, setTimeout } from 'node:timers/promises';
import type { LmdbStore } from '../store/lmdb.js';
import type { Log } from './log.js';

/** The first moments of a service are busy enough. In milliseconds. */
const QUIET = 2_000;

/** When others have waited for us for longer than this, there is work for them, and a while is left to it. */
const BUSY_MS = 0.3;
const WHILE_MS = 8;

export interface VerifyingNeeds {
  readonly store: Pick<LmdbStore, 'verifyAll'>;
  readonly log: Log;
  readonly alarm: (cause: unknown) => void;
  readonly mono: () => number;
  /** Milliseconds before it begins. */
  readonly quiet?: number;
}

/**
 * Looks at every record once, beside everything else, until it is closed. What is damaged is never used anyway, but a
 * record that nobody asks for would stay unnoticed until it is needed.
 */
export function verifyBeside(needs: VerifyingNeeds): { readonly close: () => Promise<void> } {
  const { store, log, alarm, mono, quiet = QUIET } = needs;
  const end = new AbortController();
  const { signal } = end;

  async function giveWay(): Promise<void> {
    const since = mono();
    await setImmediate(undefined, { signal });
    if (mono() - since > BUSY_MS) await setTimeout(WHILE_MS, undefined, { signal, ref: false });
  }

  async function verify(): Promise<void> {
    await setTimeout(quiet, undefined, { signal, ref: false });
    const { damaged } = await store.verifyAll(giveWay);
    for (const what of damaged) alarm(new Error(`the store is damaged: ${what}`));
    if (damaged.length > 0)
      log.error({ records: damaged.length }, 'the store is damaged: what is damaged is denied; restore a backup');
    else log.info('every record of the store is sound');
  }

  const running = verify().catch((cause: unknown) => {
    if (!signal.aborted) alarm(cause);
  });
  return {
    close() {
      end.abort();
      return running;
    },
  };
}
