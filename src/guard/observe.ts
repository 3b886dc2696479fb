import type { SessionEndReason } from '../domain/session.js';
import type { RefusedMessage } from './wire.js';

/** What is measured. */
export interface GuardObserver {
  /** From a change, once on disk, until the command has left that follows from it. */
  readonly commandLeft: (seconds: number) => void;
  /** From a change, once on disk, until a guard said that a session is closed. */
  readonly cut: (seconds: number) => void;
  readonly ended: (reason: SessionEndReason) => void;
  /** Turned away by a guard itself. */
  readonly refused: (reason: keyof RefusedMessage, count: number) => void;
  /** An entry about a session or a guard that is not in the log. */
  readonly unrecorded: () => void;
}

/** Where guards and their peers are told of. */
export interface GuardLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}
