import { fileURLToPath } from 'node:url';

/** The checkout these benchmarks belong to. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is kept from one run to the next; may be removed at any time. */
export const CACHE = fileURLToPath(new URL('../../.cache/bench', import.meta.url));
