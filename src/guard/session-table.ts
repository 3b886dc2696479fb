import type { GrantId, SessionId } from '../domain/ids.js';
import type { SessionStanding } from '../access/live-sessions.js';
import type { Grant } from '../domain/grant.js';
import type { Session, SessionEnd, SessionEndReason } from '../domain/session.js';
import type { Instant } from '../domain/time.js';
import { ENDED_KEPT_MS, MAX_ENDED } from './limits.js';

/** Why a session has been told to end, and the moment of what made it, by the monotonic clock. */
export interface CutMark {
  readonly reason: SessionEndReason;
  readonly since: number;
}

/** A live session, as its guard and the service keep it. */
export class LiveSession implements SessionStanding {
  readonly session: Session;
  /** Its name among the sessions of its guard. */
  readonly number: number;
  grant: Grant;
  endsAt: Instant;
  /** When its certificate ends; null when that is not known. Nothing lengthens the session beyond it. */
  readonly certificateUntil: Instant | null;
  upstream: string | null = null;
  bytesReceived = 0;
  bytesSent = 0;
  /** Whether its guard has ever told of traffic. */
  hasMoved = false;
  /** When it last moved, by the monotonic clock. */
  movedAt: number;
  mark: CutMark | null = null;
  end: SessionEnd | null = null;
  cutBy: SessionStanding['cutBy'] = null;

  constructor(begin: {
    readonly session: Session;
    readonly number: number;
    readonly grant: Grant;
    readonly endsAt: Instant;
    readonly certificateUntil: Instant | null;
    readonly now: number;
  }) {
    this.session = begin.session;
    this.number = begin.number;
    this.grant = begin.grant;
    this.endsAt = begin.endsAt;
    this.certificateUntil = begin.certificateUntil;
    this.movedAt = begin.now;
  }

  get grantId(): GrantId {
    return this.grant.id;
  }
}

/** Live sessions by id and by grant, and those that ended lately. */
export class SessionTable {
  readonly #live = new Map<SessionId, LiveSession>();
  /** In the order in which they came. */
  readonly #byGrant = new Map<GrantId, Set<LiveSession>>();
  /** Oldest end first. */
  readonly #ended = new Map<SessionId, { readonly live: LiveSession; readonly since: number }>();

  get size(): number {
    return this.#live.size;
  }

  live(): Iterable<LiveSession> {
    return this.#live.values();
  }

  *all(): Generator<LiveSession> {
    yield* this.#live.values();
    for (const { live } of this.#ended.values()) yield live;
  }

  find(id: SessionId): LiveSession | undefined {
    return this.#live.get(id) ?? this.#ended.get(id)?.live;
  }

  /** Grants under which something lives, as they were when it was last looked at. */
  grants(): readonly Grant[] {
    return [...this.#byGrant.values()].flatMap((sessions) => {
      for (const { grant } of sessions) return [grant];
      return [];
    });
  }

  under(grant: GrantId): ReadonlySet<LiveSession> {
    return this.#byGrant.get(grant) ?? NONE;
  }

  add(session: LiveSession): void {
    this.#live.set(session.session.id, session);
    this.#ended.delete(session.session.id);
    this.#put(session);
  }

  /** Another grant takes over. */
  move(session: LiveSession, grant: Grant): void {
    this.#take(session);
    session.grant = grant;
    this.#put(session);
  }

  /** @param now by the monotonic clock */
  close(session: LiveSession, end: SessionEnd, now: number): void {
    session.end = end;
    this.#live.delete(session.session.id);
    this.#take(session);
    this.#ended.set(session.session.id, { live: session, since: now });
    this.forget(now);
  }

  /** Drops what ended too long ago, and what is too much. */
  forget(now: number): void {
    for (const [id, { since }] of this.#ended) {
      if (this.#ended.size <= MAX_ENDED && now - since <= ENDED_KEPT_MS) return;
      this.#ended.delete(id);
    }
  }

  #put(session: LiveSession): void {
    const sessions = this.#byGrant.get(session.grant.id) ?? new Set();
    sessions.add(session);
    this.#byGrant.set(session.grant.id, sessions);
  }

  #take(session: LiveSession): void {
    const sessions = this.#byGrant.get(session.grant.id);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byGrant.delete(session.grant.id);
  }
}

const NONE: ReadonlySet<LiveSession> = new Set();
