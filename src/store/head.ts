import type { Canonical } from '../domain/canonical.js';
import type { Instant } from '../domain/time.js';

/**
 * What is true of the store as a whole, in one record that every commit rewrites. Each snapshot begins with it, so that
 * sequence, locks and everything else are of the same moment.
 */
export interface Head {
  /** Number of the last change. */
  readonly sequence: number;
  /** The latest time the store has been written with. */
  readonly highWaterMark: Instant;
  /** Number of decision batches so far; makes their keys unique. */
  readonly batches: number;
  /** What `locks()` is checked against: a lock that is lost, added or changed shows here. */
  readonly locks: LockSeal;
}

export interface LockSeal {
  readonly count: number;
  /** SHA-256 over keys and records of all locks, in hexadecimal; see `LockSet`. */
  readonly digest: string;
}

/** The head as a body of a record; the codec keeps it from being anything else when it comes back. */
export function headBody(head: Head): Canonical {
  return { ...head, locks: { ...head.locks } };
}

export function raised(head: Head, at: Instant): Head {
  return at > head.highWaterMark ? { ...head, highWaterMark: at } : head;
}
