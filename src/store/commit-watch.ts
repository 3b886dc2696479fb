/** A deadline is this many ticks, of which a pause of the whole process (SIGSTOP, a frozen machine) uses up one. */
const TICKS = 10;

/**
 * Notices a commit that does not come back. Counts only time in which this process ran: after a pause a commit gets
 * what is left of its deadline, and does not look late because nobody was there to see it.
 */
export class CommitWatch {
  readonly #timer: NodeJS.Timeout;
  #ticks: number | null = null;

  constructor(deadline: number, onLate: () => void) {
    this.#timer = setInterval(() => {
      if (this.#ticks !== null && ++this.#ticks > TICKS) {
        this.#ticks = null;
        onLate();
      }
    }, deadline / TICKS);
    this.#timer.unref();
  }

  begin(): void {
    this.#ticks = 0;
  }

  reached(): void {
    this.#ticks = null;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
