import { DamagedError } from './store.js';

/** Codes of the operating system and of LMDB that mean: no room. */
const FULL = new Set([
  28, // ENOSPC
  122, // EDQUOT
  -30_792, // MDB_MAP_FULL
]);

/** lmdb's errors carry the number that LMDB or the operating system returned; nobody else's do. */
export function isFromLmdb(error: unknown): error is Error & { readonly code: number } {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'number';
}

export function meansFull(error: unknown): boolean {
  return isFromLmdb(error) && FULL.has(error.code);
}

/**
 * Why a commit was rejected. lmdb rejects with a general error and hands the reason over in a promise of its own, which
 * always rejects and would be an unhandled rejection if nobody took it.
 */
export async function commitCause(error: unknown): Promise<Error> {
  const { commitError } = error as { readonly commitError?: Promise<never> };
  try {
    await commitError;
  } catch (cause) {
    return cause as Error;
  }
  return error as Error;
}

/** What reading throws: what LMDB finds wrong with its own pages is damage. */
export function asDamage(error: unknown): unknown {
  if (!isFromLmdb(error)) return error;
  return new DamagedError(`the database cannot be read: ${error.message}; restore a backup`, { cause: error });
}
