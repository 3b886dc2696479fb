import type { DenyReason } from '../domain/decision.js';
import type { Log } from './log.js';

/** Exit codes of the service. */
const EXIT = { ended: 0, storageFailed: 70 } as const;

/** After a failure of storage nothing waits for storage any longer than this. */
const FAILED_GRACE_MS = 500;

/**
 * What the service holds open, and how it ends: in the reverse order of opening, on a signal or when storage fails.
 * Until then it serves; from that moment on every check is denied for the reason that `closed` gives.
 */
export class LifeCycle {
  readonly #log: Log;
  readonly #held: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  readonly ended: Promise<number>;
  #settle: (code: number) => void = () => undefined;
  #closed: DenyReason | null = null;
  #code: number = EXIT.ended;
  #ending: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Why checks are denied; null while the service serves. */
  closed(): DenyReason | null {
    return this.#closed;
  }

  /** Keeps something that must be closed at the end, before everything that is held already. */
  hold<T>(name: string, thing: T, close: (thing: T) => Promise<void> | void): T {
    this.#held.push({ name, close: async () => close(thing) });
    return thing;
  }

  endOn(signal: AbortSignal): void {
    if (signal.aborted) void this.end();
    else signal.addEventListener('abort', () => void this.end(), { once: true });
  }

  /** Ends in order. Every part gets its turn, whatever becomes of the others. */
  end(): Promise<void> {
    this.#closed ??= 'shutting_down';
    this.#ending ??= this.#closeAll().then(() => this.#settle(this.#code));
    return this.#ending;
  }

  /** Ends because storage cannot be relied on. Closing it may never come back, so the end does not wait for it. */
  failStop(cause: Error): void {
    this.#closed = 'storage_failed';
    this.#code = EXIT.storageFailed;
    this.#log.fatal({ err: cause }, 'storage has failed: everything is denied and the service ends');
    void this.end();
    setTimeout(() => this.#settle(this.#code), FAILED_GRACE_MS);
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#held.toReversed()) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'closing failed');
      }
    }
  }
}
