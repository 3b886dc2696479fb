/** Taken in one turn of the event loop: a few milliseconds. */
const AT_ONCE = 100;
/** Above so many waiting ones the stream is not read until they are through. */
const MAX_WAITING = 2_000;

/** A stream as far as it can be held up. */
interface Source {
  pause(): unknown;
  resume(): unknown;
}

/**
 * What comes in on one stream, taken in its order and a little at a time, so that ten thousand sessions at once hold up
 * neither the checks nor the other guards.
 */
export class Intake {
  readonly #source: Source;
  readonly #onError: (error: unknown) => void;
  #waiting: (() => void)[] = [];
  #next = 0;
  #isScheduled = false;
  #isPaused = false;
  #isOver = false;

  /** `onError` hears of the first piece of work that throws; after it nothing is done any more. */
  constructor(source: Source, onError: (error: unknown) => void) {
    this.#source = source;
    this.#onError = onError;
  }

  add(work: () => void): void {
    if (this.#isOver) return;
    this.#waiting.push(work);
    if (!this.#isPaused && this.#waiting.length - this.#next > MAX_WAITING) {
      this.#isPaused = true;
      this.#source.pause();
    }
    if (!this.#isScheduled) this.#take();
  }

  /** Whatever still waits is not done. */
  end(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#next = 0;
  }

  #take(): void {
    this.#isScheduled = false;
    const last = Math.min(this.#waiting.length, this.#next + AT_ONCE);
    try {
      while (!this.#isOver && this.#next < last) this.#waiting[this.#next++]!();
    } catch (error) {
      this.end();
      this.#onError(error);
    }
    if (this.#next < this.#waiting.length) this.#later();
    else this.#through();
  }

  #later(): void {
    this.#isScheduled = true;
    setImmediate(() => this.#take());
  }

  #through(): void {
    this.#waiting = [];
    this.#next = 0;
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#source.resume();
  }
}
