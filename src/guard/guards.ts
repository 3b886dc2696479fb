import type { Outstanding } from '../access/live-sessions.js';
import type { GuardId, GuardName } from '../domain/session.js';
import type { Instant, Reading } from '../domain/time.js';
import type { Link } from './link.js';
import type { LiveSession } from './session-table.js';
import type { RefusedMessage } from './wire.js';

/** A guard that is in contact, or was lately. */
export class Guard {
  name: GuardName;
  link: Link | null = null;
  /** When it is taken for gone unless it comes back; by the monotonic clock, while it has no link. */
  goneAt = Infinity;
  /** Known from before the start of the service only. */
  isRecalled = false;
  /** By their numbers. */
  readonly sessions = new Map<number, LiveSession>();
  /** What it has told of refusals so far, and of messages that it did not understand. */
  refused: RefusedMessage = { noEnd: 0, expired: 0, stale: 0, contactLost: 0, overloaded: 0 };
  malformed = 0;
  /** Sessions that it holds, also those too short to be told. */
  holds = 0;

  constructor(name: GuardName) {
    this.name = name;
  }
}

/** The guards, and who waits for them. */
export class Guards {
  readonly #guards = new Map<GuardId, Guard>();
  readonly #waiting = new Set<Waiting>();

  get size(): number {
    return this.#guards.size;
  }

  all(): Iterable<Guard> {
    return this.#guards.values();
  }

  find(id: GuardId): Guard | undefined {
    return this.#guards.get(id);
  }

  add(guard: Guard): void {
    this.#guards.set(guard.name.id, guard);
  }

  remove(guard: Guard): void {
    this.#guards.delete(guard.name.id);
    this.progressed(guard);
  }

  /** Whoever waits looks again at this guard: it has applied something, is through with its resync, or has gone. */
  progressed(guard: Guard): void {
    for (const waiting of this.#waiting) waiting.look(guard, this.#guards.get(guard.name.id) !== guard);
  }

  /** Resolves when all guards have applied all commands that have been sent to them so far, or with those that have not. */
  settled(withinMs: number): Promise<readonly Guard[]> {
    const waiting = new Waiting(this.#guards.values());
    if (waiting.isOver || withinMs <= 0) return Promise.resolve(waiting.rest());
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve(waiting.rest());
      };
      const timer = setTimeout(done, withinMs);
      waiting.onOver = done;
      this.#waiting.add(waiting);
    });
  }
}

/** Guards that somebody waits for, each with the link and the command that count. */
class Waiting {
  readonly #marks = new Map<Guard, { readonly link: Link | null; readonly command: number }>();
  onOver: () => void = () => undefined;

  constructor(guards: Iterable<Guard>) {
    for (const guard of guards) {
      const { link } = guard;
      this.#marks.set(guard, { link, command: link?.sent ?? Infinity });
      this.#drop(guard, false);
    }
  }

  get isOver(): boolean {
    return this.#marks.size === 0;
  }

  rest(): readonly Guard[] {
    return [...this.#marks.keys()];
  }

  look(guard: Guard, isGone: boolean): void {
    if (this.#drop(guard, isGone) && this.isOver) this.onOver();
  }

  #drop(guard: Guard, isGone: boolean): boolean {
    const mark = this.#marks.get(guard);
    if (mark === undefined || !(isGone || hasApplied(guard, mark))) return false;
    this.#marks.delete(guard);
    return true;
  }
}

/** A guard that has come back since has been told anew what holds by now. */
function hasApplied({ link }: Guard, mark: { readonly link: Link | null; readonly command: number }): boolean {
  if (link === null) return false;
  const wanted = link === mark.link ? Math.max(mark.command, link.resynced) : link.resynced;
  return link.applied >= wanted;
}

/** A guard as callers are told of it that wait for it. */
export function outstanding({ name, link, goneAt }: Guard, graceMs: number, now: Reading): Outstanding {
  const left = link === null ? Math.max(0, goneAt - now.mono) : graceMs;
  return { guard: name.id, node: name.node, endsAt: Math.ceil(now.wall + left) as Instant };
}
