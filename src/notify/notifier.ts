import { setTimeout as sleep } from 'node:timers/promises';
import type { Told } from '../access/events/event.js';
import type { Events } from '../access/events/events.js';
import type { Position } from '../access/events/position.js';
import { hours, type Clock } from '../domain/time.js';
import type { Cursor } from './cursor.js';
import type { Deliver } from './delivery.js';
import { InOrder } from './in-order.js';
import type { Notice } from './notice.js';

/** Deliveries under way at a time. */
const AT_ONCE = 4;

/** What is older than this nobody needs to be told any more. */
const TOO_OLD = hours(1);

/** Milliseconds: how often it is written down how far it has come when nobody was to be told; it is only known for an hour. */
const IDLE_MS = 60_000;
const BUSY_MS = 5_000;

/** Milliseconds that what is under way at the end of the service gets, so that little is told twice. */
const GRACE_MS = 1_000;

/** Where notices go, as metrics and the log call it. */
export type Target = 'exec' | 'webhook';

/** Hears what became of each notice; `dropped`: not even tried. */
type NoticeObserver = (outcome: 'delivered' | 'failed' | 'dropped', count: number) => void;

export interface NotifierNeeds {
  readonly target: Target;
  readonly events: Pick<Events, 'ready' | 'after' | 'position' | 'listen'>;
  readonly deliver: Deliver;
  readonly cursor: Cursor;
  readonly clock: Clock;
  /** Null where nobody is to be told. */
  readonly noticeOf: (told: Told) => Notice | null;
  readonly observe: NoticeObserver;
  readonly log: { warn(about: object, text: string): void };
  readonly alarm: (cause: unknown) => void;
}

/**
 * Carries notices out, at least once each and in the order of the events, a few at a time. The log of changes itself is what
 * waits: a target that is slow or away costs no memory and holds nothing up. How far it has come outlives a restart.
 */
export class Notifier {
  readonly #needs: NotifierNeeds;
  /** Ends deliveries. */
  readonly #ending = new AbortController();
  #isClosing = false;
  readonly #running = new Set<Promise<void>>();
  readonly #stopListening: () => void;
  #wake: () => void = () => undefined;
  #isNews = false;
  #whole: Promise<void> = Promise.resolve();
  #order: InOrder | null = null;
  #written: Position | null = null;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: NotifierNeeds) {
    this.#needs = needs;
    this.#stopListening = needs.events.listen(() => this.#hear());
  }

  start(): void {
    this.#whole = this.#run().catch(this.#needs.alarm);
  }

  /** Ends what is under way, and remembers how far it has come. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#isClosing = true;
    clearTimeout(this.#timer);
    this.#hear();
    const all = Promise.all(this.#running);
    await Promise.race([all, sleep(this.#running.size === 0 ? 0 : GRACE_MS)]);
    this.#ending.abort();
    await Promise.all([this.#whole, ...this.#running]);
    await this.#writing;
    await this.#write();
  }

  async #run(): Promise<void> {
    const { events, cursor } = this.#needs;
    await events.ready;
    let position = this.#startOf(cursor) ?? events.position;
    this.#order = new InOrder(position);
    // Or what happens before the first delivery would be lost with a crash.
    this.#writeSoon();
    while (!this.#isClosing) {
      this.#isNews = false;
      try {
        position = await this.#step(position);
      } catch (error) {
        this.#needs.alarm(error);
        await this.#news();
      }
    }
  }

  /** Takes what there is, or waits for something; gives the position behind it. */
  async #step(from: Position): Promise<Position> {
    const batch = this.#needs.events.after(from);
    if (batch === null) return this.#skip(from);
    let position = from;
    for (const one of batch.events) {
      await this.#take(one.told, one.position);
      if (this.#isClosing) return position;
      ({ position } = one);
    }
    this.#order!.pass(batch.position);
    this.#timer ??= setTimeout(() => this.#writeSoon(), BUSY_MS).unref();
    if (batch.isMore) await new Promise((resolve) => setImmediate(resolve));
    else await this.#news();
    return batch.position;
  }

  #startOf(cursor: Cursor): Position | null {
    try {
      return cursor.read();
    } catch (error) {
      this.#needs.alarm(error);
      return null;
    }
  }

  /** Too far behind to know what there was. */
  #skip(from: Position): Position {
    const { events, observe, log, target } = this.#needs;
    const to = events.position;
    const changes = Math.max(1, to.sequence - from.sequence);
    log.warn(
      { target, changes },
      'notices of so many changes are dropped: it is too long since the last was delivered',
    );
    observe('dropped', changes);
    this.#order!.pass(to);
    return to;
  }

  async #take(told: Told, position: Position): Promise<void> {
    const { clock, observe, log, target } = this.#needs;
    const notice = this.#noticeOf(told);
    if (notice === null) return;
    if (clock.read().wall - told.at > TOO_OLD) {
      log.warn({ target, notice: notice.id, kind: notice.kind }, 'a notice is dropped: it is too old by now');
      return observe('dropped', 1);
    }
    while (this.#running.size >= AT_ONCE) await Promise.race(this.#running);
    if (this.#isClosing) return;
    const done = this.#order!.begin(position);
    const running = this.#carry(notice, done).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** One that cannot be written must not hold up those behind it. */
  #noticeOf(told: Told): Notice | null {
    try {
      return this.#needs.noticeOf(told);
    } catch (error) {
      this.#needs.alarm(error);
      this.#needs.observe('failed', 1);
      return null;
    }
  }

  async #carry(notice: Notice, done: () => void): Promise<void> {
    const { deliver, observe, log, target, alarm } = this.#needs;
    const { signal } = this.#ending;
    try {
      const came = await deliver(notice, signal);
      // Not done: it is told again after the next start.
      if (came.outcome !== 'delivered' && signal.aborted) return;
      observe(came.outcome === 'delivered' ? 'delivered' : 'failed', 1);
      if (came.outcome !== 'delivered')
        log.warn({ target, notice: notice.id, kind: notice.kind, why: came.why }, 'a notice was not delivered');
    } catch (error) {
      alarm(error);
      observe('failed', 1);
    }
    done();
    this.#writeSoon();
  }

  #hear(): void {
    this.#isNews = true;
    this.#wake();
  }

  async #news(): Promise<void> {
    if (this.#isNews) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, IDLE_MS).unref();
    });
    clearTimeout(timer);
  }

  /** One write at a time; what has come meanwhile is in the next one. */
  #writeSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      if (this.#order !== null && !isSame(this.#order.done, this.#written) && !this.#isClosing) this.#writeSoon();
    });
  }

  async #write(): Promise<void> {
    const { cursor, alarm } = this.#needs;
    const done = this.#order?.done;
    if (done === undefined || isSame(done, this.#written)) return;
    // Noted first: what cannot be written now is written with the next.
    this.#written = done;
    await cursor.write(done).catch(alarm);
  }
}

function isSame(a: Position, b: Position | null): boolean {
  return b !== null && a.sequence === b.sequence && a.until === b.until;
}
