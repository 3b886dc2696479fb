import type { Duration } from '../domain/time.js';

/** What the operator may set. */
export interface GuardSettings {
  /** How long a guard keeps its sessions without having heard the service. */
  readonly contactGrace: Duration;
  /** How often a guard looks for what has ended, in milliseconds. */
  readonly tick: number;
  /** Of one guard. */
  readonly maxSessions: number;
}

/** All in milliseconds. */
export const HEARTBEAT_MS = 500;
export const HELLO_WITHIN_MS = 5_000;
/** A guard that has not carried out a command for so long is sent away; it comes again and is told anew. */
export const APPLY_WITHIN_MS = 5_000;
/** Sessions that have ended stay listed so long. */
export const ENDED_KEPT_MS = 600_000;

/** Streams at a time: guards, those that have been replaced, and those that have not said who they are. */
export const MAX_STREAMS = 1_000;
/** Ended sessions that stay listed. */
export const MAX_ENDED = 1_000;
/** Commands on their way to one guard. */
export const MAX_UNAPPLIED = 10_000;
/** A full hello of the guard is a quarter of that. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Grants or sessions in one command: some 50 KB. */
export const MAX_IN_COMMAND = 1_000;
