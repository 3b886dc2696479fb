import type { Reading } from '../domain/time.js';
import { NoGuardError } from './reading.js';
import { MAX_UNAPPLIED } from './limits.js';
import type { Command, ToGuard } from './wire.js';

/** A stream as far as a link writes to it. */
export interface Outlet {
  write(message: ToGuard, flushed?: () => void): boolean;
  /** Whether what was written before has not left yet. */
  readonly writableNeedDrain: boolean;
}

/** One stream to one guard: numbers its commands and knows which of them have been applied. */
export class Link {
  readonly attempt: number;
  readonly #outlet: Outlet;
  readonly #onLeft: (since: number) => void;
  #sent = 0;
  /** When each command that is not applied was sent, by the monotonic clock; oldest first. */
  readonly #unapplied = new Map<number, number>();
  /** Last command that belongs to the resync; infinite until that is through. */
  resynced = Infinity;
  /** When anything was last heard; by the monotonic clock. */
  heardAt: number;

  /** `onLeft` hears of each command with a cause once it has left, with the time of that cause. */
  constructor(
    outlet: Outlet,
    { attempt, now, onLeft }: { attempt: number; now: number; onLeft: (since: number) => void },
  ) {
    this.#outlet = outlet;
    this.attempt = attempt;
    this.heardAt = now;
    this.#onLeft = onLeft;
  }

  /** Number of the last command that was sent. */
  get sent(): number {
    return this.#sent;
  }

  /** The command up to which all have been applied. One that a guard did not understand holds this up. */
  get applied(): number {
    for (const command of this.#unapplied.keys()) return command - 1;
    return this.#sent;
  }

  /** When the oldest command was sent that has not been applied; null when all have been. */
  get waitingSince(): number | null {
    for (const at of this.#unapplied.values()) return at;
    return null;
  }

  get isClogged(): boolean {
    return this.#unapplied.size > MAX_UNAPPLIED;
  }

  /** Sends a command. `since`: the moment of the change that it follows from. */
  send(command: Command, sequence: number, { mono }: Pick<Reading, 'mono'>, since: number | null = null): void {
    this.#sent += 1;
    this.#unapplied.set(this.#sent, mono);
    const message: ToGuard = { command: this.#sent, sequence, ...command };
    this.#outlet.write(message, since === null ? undefined : () => this.#onLeft(since));
  }

  /** To a guard that does not read, one more would be one more in memory. */
  heartbeat(wallMs: number, sequence: number): void {
    if (!this.#outlet.writableNeedDrain) this.#outlet.write({ command: 0, sequence, heartbeat: { wallMs } });
  }

  /** @throws {NoGuardError} for a command that was never sent */
  acknowledge(command: number): void {
    if (command > this.#sent) throw new NoGuardError('a command was applied that was never sent');
    this.#unapplied.delete(command);
  }
}
