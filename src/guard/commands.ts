import type { Grant } from '../domain/grant.js';
import type { Clock, Instant } from '../domain/time.js';
import type { Guard, Guards } from './guards.js';
import { MAX_IN_COMMAND } from './limits.js';
import type { CutMark, LiveSession } from './session-table.js';

/** What a command follows from. */
export interface Cause {
  /** The last change that whoever judged has seen. */
  readonly sequence: number;
  /** When that was on disk, by the monotonic clock; null where no change is behind it. */
  readonly since: number | null;
}

/** Tells guards what to do. Those that are not in contact are told when they come back. */
export class Commands {
  readonly #guards: Guards;
  readonly #clock: Clock;

  constructor(guards: Guards, clock: Clock) {
    this.#guards = guards;
    this.#clock = clock;
  }

  /** Ends everything under these grants, at all guards: they also hold what is too short to be told, and what is on its way. */
  cutGrants(grants: readonly Grant[], cause: Cause): void {
    if (grants.length === 0) return;
    for (const guard of this.#guards.all()) this.cutGrantsOf(guard, grants, cause);
  }

  cutGrantsOf(guard: Guard, grants: readonly Grant[], { sequence, since }: Cause): void {
    const now = this.#clock.read();
    for (const some of slices(grants)) {
      const cut = some.map(({ id, expiresAt }) => ({ grantId: id, remainingMs: Math.max(0, expiresAt - now.wall) }));
      guard.link?.send({ cut: { grants: cut } }, sequence, now, since);
    }
  }

  /** Ends one session, for the reason with which it is marked. */
  cutSession(session: LiveSession, mark: CutMark, { sequence, since }: Cause): void {
    session.mark ??= mark;
    const guard = this.#guards.find(session.session.guard);
    if (guard)
      this.cutNumber(guard, session.number, { sequence, since }, session.mark.reason === 'idle' ? 'IDLE' : 'CUT');
  }

  cutNumber(guard: Guard, number: number, { sequence, since }: Cause, reason: 'CUT' | 'IDLE' = 'CUT'): void {
    guard.link?.send({ cut: { sessions: [number], reason } }, sequence, this.#clock.read(), since);
  }

  /** Puts sessions under another grant, or under their own with another end. Each has its end by now. */
  rebind(sessions: readonly LiveSession[], grant: Grant, { sequence, since }: Cause): void {
    const now = this.#clock.read();
    for (const [guard, end, some] of byGuardAndEnd(sessions, this.#guards)) {
      for (const few of slices(some)) {
        const numbers = few.map(({ number }) => number);
        const term = { grantId: grant.id, remainingMs: Math.max(0, end - now.wall), endsMs: end };
        guard.link?.send({ rebind: { sessions: numbers, ...term } }, sequence, now, since);
      }
    }
  }
}

function byGuardAndEnd(sessions: readonly LiveSession[], guards: Guards) {
  const groups = new Map<string, [Guard, Instant, LiveSession[]]>();
  for (const session of sessions) {
    const guard = guards.find(session.session.guard);
    if (guard === undefined) continue;
    const key = `${guard.name.id} ${session.endsAt}`;
    const group = groups.get(key) ?? [guard, session.endsAt, []];
    group[2].push(session);
    groups.set(key, group);
  }
  return groups.values();
}

function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += MAX_IN_COMMAND) yield items.slice(from, from + MAX_IN_COMMAND);
}
