import type { SessionId } from '../domain/ids.js';
import type { GrantId } from '../domain/ids.js';
import type { GuardId, Session, SessionEnd } from '../domain/session.js';
import type { Instant } from '../domain/time.js';

/** A session as it stands. */
export interface SessionStanding {
  readonly session: Session;
  /** What it runs under now. */
  readonly grantId: GrantId;
  /** When its guard ends it by itself. */
  readonly endsAt: Instant;
  readonly upstream: string | null;
  /** As far as its guard has told. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Null while it lives. */
  readonly end: SessionEnd | null;
  /** Who wanted it cut by hand, and why; null for nobody. */
  readonly cutBy: { readonly by: string; readonly why: string } | null;
}

/** A guard that has not applied something yet, or of which nobody knows. */
export interface Outstanding {
  readonly guard: GuardId;
  readonly node: string;
  /** When what it should have ended is over at the latest, for want of contact. */
  readonly endsAt: Instant;
}

/** The sessions that guards have told of; `guard/` implements it. */
export interface LiveSessions {
  /** Those that live and those that ended lately. */
  all(): Iterable<SessionStanding>;
  find(id: SessionId): SessionStanding | undefined;
  /**
   * Waits until every guard has applied what follows from the changes made so far, at most so many milliseconds. Resolves with
   * the guards that have not; with none, whatever lost its access is over.
   */
  settle(withinMs: number): Promise<readonly Outstanding[]>;
}
