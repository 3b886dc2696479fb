import type { Notice } from './notice.js';

/** What came of one try. `later`: another try may help. `why` is for the log. */
export type Outcome =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'failed' | 'later'; readonly why: string };

/** Carries one notice to where it should go, once. Never rejects; ends soon once `signal` is aborted. */
export type Deliver = (notice: Notice, signal: AbortSignal) => Promise<Outcome>;

export const DELIVERED: Outcome = { outcome: 'delivered' };

export const failed = (why: string): Outcome => ({ outcome: 'failed', why });
export const later = (why: string): Outcome => ({ outcome: 'later', why });
