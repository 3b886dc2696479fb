import type { Dependencies } from '../access/dependencies.js';
import { endInadmissible } from '../access/policy-change.js';
import type { PolicySet } from '../domain/policy.js';
import type { Log } from './log.js';
import type { Policies } from './policies.js';

/** What came of reading the policy folder again. */
export interface Reloaded {
  /**
   * `unsettled`: in force, but not yet written down; that is tried again by itself. `postponed`: the set in force is not
   * written down yet, and only then is the folder read.
   */
  readonly outcome: 'loaded' | 'refused' | 'unsettled' | 'postponed';
  /** For people; none when it was loaded. */
  readonly problems: readonly string[];
}

interface Given {
  readonly needed: Pick<Dependencies, 'store' | 'clock' | 'room'>;
  readonly policies: Policies;
  readonly log: Log;
  readonly alarm: (cause: unknown) => void;
  readonly observe: (outcome: 'loaded' | 'refused') => void;
}

/** A set in force that is not written down: `entry` lacks both its audit entry and the ends of grants. */
interface Unsettled {
  readonly set: PolicySet;
  readonly lacks: 'entry' | 'ends';
}

const RETRY_MS = 1_000;

/**
 * Puts policy sets in force, one after the other. A set is in force at once, so that a tightened one works whatever the disk
 * does; then its audit entry and the ends of the grants that it refuses are written, for as long as it takes, and only
 * then comes the next set: otherwise a grant that was refused could come back.
 */
export class PolicyReloads {
  readonly #given: Given;
  readonly #closing = new AbortController();
  /** The last thing begun; everything waits for what was begun before it. */
  #turn: Promise<unknown> = Promise.resolve();
  /** A reload that has not begun to read; whoever asks before it does gets its outcome. */
  #next: Promise<Reloaded> | null = null;
  #unsettled: Unsettled | null = null;
  #isPostponed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(given: Given) {
    this.#given = given;
  }

  /** Whether everything that follows from the set in force is on disk, as far as it has been tried. */
  isSettled(): boolean {
    return this.#unsettled === null;
  }

  /** Writes the ends of the grants that the set of the start refuses; the entry of the start names that set. */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#settle({ set: this.#given.policies.current, lacks: 'ends' }));
  }

  /** Reads the folder once more, and not before this call: what was edited before it is seen. */
  reload(): Promise<Reloaded> {
    this.#next ??= this.#inTurn(() => {
      this.#next = null;
      return this.#reload();
    });
    return this.#next;
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#retry);
    await this.#turn;
  }

  async #reload(): Promise<Reloaded> {
    const { policies, log, observe } = this.#given;
    if (this.#closing.signal.aborted) return { outcome: 'refused', problems: ['the service is ending'] };
    const before = this.#unsettled && (await this.#settle(this.#unsettled));
    this.#isPostponed = before !== null;
    if (before !== null) return { outcome: 'postponed', problems: [before] };
    const reading = await policies.read();
    observe(reading.ok ? 'loaded' : 'refused');
    if (!reading.ok) {
      log.error({ problems: reading.problems }, 'the policy folder cannot be read; the old policies stay in force');
      return { outcome: 'refused', problems: reading.problems };
    }
    for (const warning of reading.warnings) log.warn(warning);
    policies.enforce(reading.set);
    log.info({ policyDigest: reading.set.digest }, 'policies loaded');
    const problem = await this.#settle({ set: reading.set, lacks: 'entry' });
    return problem === null ? { outcome: 'loaded', problems: [] } : { outcome: 'unsettled', problems: [problem] };
  }

  /** Null when it came through; otherwise why not, and it is tried again. */
  async #settle({ set, lacks }: Unsettled): Promise<string | null> {
    const { needed, log } = this.#given;
    let still = lacks;
    try {
      // First the entry: once it is on disk, so is every grant that was given under an earlier set, and the sweep sees it.
      if (lacks === 'entry') await this.#writeEntry(set);
      still = 'ends';
      const ended = await endInadmissible(needed, set, this.#closing.signal);
      if (ended > 0) log.warn({ ended }, 'grants ended: the policies no longer admit them');
      if (this.#unsettled) log.info({ policyDigest: set.digest }, 'the policies in force are now written down');
      this.#unsettled = null;
      return null;
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#tryAgain({ set, lacks: still }, error);
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #writeEntry({ digest: policyDigest }: PolicySet): Promise<void> {
    const { store, clock, room } = this.#given.needed;
    // Loading policies ends access, so it gets the room that is kept for that.
    await room.ending(() =>
      store.change(clock.read().wall, (change) =>
        change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest }),
      ),
    );
  }

  #tryAgain(unsettled: Unsettled, cause: unknown): void {
    const { log, alarm } = this.#given;
    if (this.#unsettled) alarm(cause);
    else log.error({ err: cause, policyDigest: unsettled.set.digest }, UNSETTLED);
    this.#unsettled = unsettled;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#inTurn(() => this.#tryNow()), RETRY_MS).unref();
  }

  async #tryNow(): Promise<void> {
    if (this.#unsettled && (await this.#settle(this.#unsettled)) === null && this.#isPostponed) await this.#reload();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => undefined);
    return run;
  }
}

const UNSETTLED =
  'the policies are in force, but what follows from them cannot be written down; until it is, no others are loaded; tried again every second';
