import type { LmdbStore } from '../store/lmdb.js';
import type { Log } from './log.js';

/**
 * Looks at every record once, beside everything else. What is damaged is never used anyway, but a record that nobody
 * asks for would stay unnoticed until it is needed.
 */
export async function verifyStore(
  store: Pick<LmdbStore, 'verifyAll'>,
  log: Log,
  alarm: (cause: unknown) => void,
): Promise<void> {
  const { damaged } = await store.verifyAll();
  for (const what of damaged) alarm(new Error(`the store is damaged: ${what}`));
  if (damaged.length > 0)
    log.error({ records: damaged.length }, 'the store is damaged: what is damaged is denied; restore a backup');
  else log.info('every record of the store is sound');
}
