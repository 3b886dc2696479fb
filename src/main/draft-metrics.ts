import { Counter, type Registry } from '@prometheus-io/client';
import type { Snapshot } from '../store/store.js';
import { readAtScrape } from './metrics.js';

/** How many drafts there are, and how many refusals have left none. */
export function createDraftMetrics(
  registry: Registry,
  read: <T>(use: (snapshot: Snapshot) => T) => T,
): { readonly dropped: () => void } {
  const registers = [registry];
  readAtScrape(
    'portcullis_drafts',
    'Drafts that refusals have left, expired or not',
    () => read((snapshot) => snapshot.draftCount()),
    registers,
  );
  const dropped = new Counter({
    name: 'portcullis_drafts_dropped_total',
    help: 'Refusals that have left no draft for want of room: too many of one subject or in all, or a full disk',
    registers,
  });
  return { dropped: () => dropped.inc() };
}
