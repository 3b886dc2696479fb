import { Readable } from 'node:stream';
import type { Told } from '../access/events/event.js';
import type { Batch, Events } from '../access/events/events.js';
import { printPosition, type Position } from '../access/events/position.js';
import type { Limits } from './limits.js';

/** Heartbeats that a reader may leave unread before its stream is closed. */
const MAX_UNREAD = 3;

/** After so many milliseconds an EventSource whose stream has ended comes back. */
const COME_BACK_MS = 2_000;

/** What one listener is told, and how. */
export interface StreamGiven {
  readonly events: Pick<Events, 'after' | 'position' | 'listen'>;
  /** What the listener has heard already; `unknown`: something that we have never said. */
  readonly heard: Position | 'unknown' | null;
  readonly limits: Pick<Limits, 'heartbeatMs' | 'streamMs'>;
  /** Judged anew for each event, and at each heartbeat; null: the listener may hear nothing any more. */
  readonly judge: () => ((told: Told) => boolean) | null;
  /** What stands behind the name of the event and `data:`. */
  readonly textOf: (told: Told) => string;
  readonly resetText: () => string;
  readonly alarm: (cause: unknown) => void;
}

/**
 * The events for one listener, in the form of Server-Sent Events. It reads on only while the listener reads, so it holds
 * little more than one event; whoever is too slow is told to list again, and whoever does not read at all is closed.
 */
export class EventStream extends Readable {
  readonly #given: StreamGiven;
  readonly #stopListening: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  #position: Position;
  #isLost: boolean;
  #isRead = false;
  #isPumpDue = false;
  #unread = 0;

  constructor(given: StreamGiven) {
    super({ highWaterMark: 16 * 1024 });
    const { events, heard, limits } = given;
    this.#given = given;
    this.#isLost = heard === 'unknown';
    this.#position = heard === null || heard === 'unknown' ? events.position : heard;
    this.#stopListening = events.listen(() => this.#pump());
    this.#timers = [
      setInterval(() => this.#beat(), limits.heartbeatMs).unref(),
      setTimeout(() => this.end(), limits.streamMs).unref(),
    ];
    if (heard === null) this.push(`retry: ${COME_BACK_MS}\nid: ${printPosition(this.#position)}\n\n`);
    else this.push(`retry: ${COME_BACK_MS}\n\n`);
  }

  /** Ends it in order; what has been told goes out. */
  end(): void {
    this.#release();
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  override _read(): void {
    this.#isRead = true;
    this.#unread = 0;
    this.#pump();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    done(error);
  }

  #release(): void {
    this.#isPumpDue = true;
    this.#stopListening();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Tells what there is, as long as it is read. */
  #pump(): void {
    if (!this.#isRead || this.#isPumpDue) return;
    try {
      const batch = this.#isLost ? null : this.#given.events.after(this.#position);
      if (batch === null) this.#reset();
      else this.#tell(batch);
      if (batch?.isMore) this.#pumpLater();
    } catch (error) {
      this.#given.alarm(error);
      this.destroy();
    }
  }

  /** Others get their turn in between. */
  #pumpLater(): void {
    this.#isPumpDue = true;
    setImmediate(() => {
      if (this.destroyed || this.readableEnded) return;
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #tell(batch: Batch): void {
    // Nothing changes while this runs, so it is judged once.
    const maySee = batch.events.length > 0 ? this.#given.judge() : () => false;
    if (maySee === null) return this.end();
    for (const { told, position } of batch.events) {
      if (maySee(told)) this.#say(`id: ${printPosition(position)}\n${this.#given.textOf(told)}`);
      const isFurther = position.sequence > this.#position.sequence || position.until > this.#position.until;
      this.#position = position;
      // Not between events that share a position: it would begin with the first of them again.
      if (!this.#isRead && isFurther) return;
    }
    this.#position = batch.position;
  }

  #reset(): void {
    this.#isLost = false;
    this.#position = this.#given.events.position;
    if (this.#given.judge() === null) return this.end();
    this.#say(`id: ${printPosition(this.#position)}\n${this.#given.resetText()}`);
  }

  /** A sign of life, and how far the listener has come, though nothing was for it. */
  #beat(): void {
    if (this.#given.judge() === null) return this.end();
    this.#pump();
    if (this.#isRead) return this.#say(`: still here\nid: ${printPosition(this.#position)}\n\n`);
    this.#unread += 1;
    if (this.#unread >= MAX_UNREAD) this.destroy();
  }

  #say(text: string): void {
    this.#isRead = this.push(text);
  }
}
