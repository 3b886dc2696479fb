import type { AuditEntry } from '../../domain/audit-entry.js';
import type { Clock } from '../../domain/time.js';
import type { Store } from '../../store/store.js';
import type { Feed } from '../feed.js';
import { eventOf, type Told } from './event.js';
import { Moments, type Moment } from './moments.js';
import type { Position } from './position.js';

/** Changes kept at hand, for those who hear as they happen; older ones are read from the audit log. */
const AT_HAND = 1_000;

/** Whoever is further behind than so many changes must list again. */
export const MAX_BEHIND = 5_000;

/** Changes read from the log in one go: about a millisecond. */
const AT_ONCE = 100;

/** Between two looks at what the time has brought, in milliseconds. */
const TICK_MS = 250;

/** Listeners woken in one turn of the event loop, so that checks get theirs. */
const WOKEN_AT_ONCE = 10;

/** What comes after a position: each event with the position of whoever has heard it. */
export interface Batch {
  readonly events: readonly { readonly told: Told; readonly position: Position }[];
  /** Of whoever has heard all of them. */
  readonly position: Position;
  readonly isMore: boolean;
}

export interface EventsNeeds {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly feed: Feed;
  readonly alarm: (cause: unknown) => void;
}

/**
 * What people are told of: changes from the audit log, and what the time brings. Nothing is pushed to anybody: whoever listens
 * keeps a position and asks what comes after it, as fast as it can, so a slow listener costs no memory. Changes only wake.
 */
export class Events {
  readonly #needs: EventsNeeds;
  readonly #moments: Moments;
  readonly #stopHearing: () => void;
  readonly #listeners = new Set<() => void>();
  /** The latest entries, without gaps. */
  #latest: AuditEntry[] = [];
  #sequence: number;
  #isWaking = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when it is known what the time has brought before the start. */
  readonly ready: Promise<void>;
  #isReady: () => void = () => undefined;

  constructor(needs: EventsNeeds) {
    this.#needs = needs;
    this.#sequence = sequenceOf(needs);
    this.#moments = new Moments(needs);
    this.#stopHearing = needs.feed.listen((entries) => this.#hear(entries));
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
  }

  /** Ticks by itself from now on. */
  start(): void {
    void this.#keepTicking();
  }

  async #keepTicking(): Promise<void> {
    await this.load();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  async load(): Promise<void> {
    await this.#moments.load().catch(this.#needs.alarm);
    this.#isReady();
  }

  /** Looks at what the time has brought. */
  tick(): void {
    if (this.#moments.tick().isNew) this.#wake();
  }

  /** Of whoever has heard everything. */
  get position(): Position {
    return { sequence: this.#sequence, until: this.#moments.until };
  }

  /** Calls `wake` after something has happened, some time later and never in the midst of it. Returns what ends it. */
  listen(wake: () => void): () => void {
    const own = () => wake();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** What comes after a position; null where that is not known (any more): then one must list again. */
  after(position: Position): Batch | null {
    const behind = this.#sequence - position.sequence;
    if (behind < 0 || behind > MAX_BEHIND) return null;
    const moments = this.#moments.after(position.until);
    if (moments === null) return null;
    const entries = this.#entriesAfter(position.sequence);
    const { until } = position;
    const changes = entries.flatMap((entry) => {
      const told = toldBy(entry);
      return told === null ? [] : [{ told, position: { sequence: entry.sequence, until } }];
    });
    const sequence = entries.at(-1)?.sequence ?? position.sequence;
    if (sequence < this.#sequence) return { events: changes, position: { sequence, until }, isMore: true };
    return {
      events: [...changes, ...withPositions(moments, position.until, sequence)],
      position: this.position,
      isMore: false,
    };
  }

  close(): void {
    this.#stopHearing();
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #entriesAfter(sequence: number): readonly AuditEntry[] {
    const first = this.#latest[0]?.sequence ?? this.#sequence + 1;
    if (sequence + 1 >= first) {
      const from = sequence + 1 - first;
      return this.#latest.slice(from, from + AT_ONCE);
    }
    return this.#needs.store.read((snapshot) => snapshot.entries(sequence + 1, AT_ONCE));
  }

  /** On the way of every change: nothing here may take long. */
  #hear(entries: readonly AuditEntry[]): void {
    for (const entry of entries) this.#moments.hear(entry);
    this.#latest.push(...entries);
    if (this.#latest.length > 2 * AT_HAND) this.#latest = this.#latest.slice(-AT_HAND);
    this.#sequence = Math.max(this.#sequence, entries.at(-1)!.sequence);
    this.#wake();
  }

  #wake(): void {
    if (this.#isWaking || this.#listeners.size === 0) return;
    this.#isWaking = true;
    setImmediate(() => this.#wakeSome([...this.#listeners]));
  }

  #wakeSome(listeners: readonly (() => void)[]): void {
    // Whoever is woken from here on sees all that there is by then; what comes later wakes all anew.
    this.#isWaking = false;
    for (const wake of listeners.slice(0, WOKEN_AT_ONCE)) {
      try {
        if (this.#listeners.has(wake)) wake();
      } catch (error) {
        this.#needs.alarm(error);
      }
    }
    const rest = listeners.slice(WOKEN_AT_ONCE);
    if (rest.length > 0) setImmediate(() => this.#wakeSome(rest));
  }
}

/** Of several at one instant only the last brings its listener on: whoever leaves in between hears all of them again. */
function withPositions(moments: readonly Moment[], until: Position['until'], sequence: number): Batch['events'] {
  let reached = until;
  return moments.map(({ told, place }, i) => {
    if (moments[i + 1]?.place !== place) reached = place;
    return { told, position: { sequence, until: reached } };
  });
}

/** Where it cannot be read now, it is known with the next change; nobody is told anything before that. */
function sequenceOf({ store, alarm }: EventsNeeds): number {
  try {
    return store.read((snapshot) => snapshot.sequence);
  } catch (error) {
    alarm(error);
    return 0;
  }
}

const known = new WeakMap<AuditEntry, Told | null>();

/** The same event each time, so that whoever writes it out can keep what was written. */
function toldBy(entry: AuditEntry): Told | null {
  const before = known.get(entry);
  if (before !== undefined) return before;
  const told = eventOf(entry);
  known.set(entry, told);
  return told;
}
