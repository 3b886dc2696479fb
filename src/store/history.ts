import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { minutes, type Instant } from '../domain/time.js';
import { quoted } from './folder.js';
import { syncFolder } from './environment.js';

/** How often storage may fail within ten minutes before a person has to look. */
const MAX_FAIL_STOPS = 3;
const WINDOW = minutes(10);

/**
 * A few lines of text beside the database that outlive it: that it was made, each fail-stop, each full check after one.
 * They say whether a missing file is a new folder or a loss, and what must happen before the next start.
 */
export class History {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'history');
  }

  get exists(): boolean {
    return existsSync(this.#file);
  }

  /** Whether a fail-stop happened after the last full check. A line that cannot be read counts as one. */
  needsVerification(): boolean {
    const events = this.#events();
    return events.findLastIndex(({ what }) => what === 'verified' || what === 'created') < events.length - 1;
  }

  /** @throws {Error} when storage keeps failing */
  assertNotFailing(now: Instant): void {
    const recent = this.#events().filter(({ at, what }) => what === 'stopped' && at > now - WINDOW);
    if (recent.length < MAX_FAIL_STOPS) return;
    throw new Error(
      `storage failed ${recent.length} times within ten minutes, last with ${quoted(recent.at(-1)!.why)}; look at the ` +
        `disk and the kernel log, then remove the "stopped" lines from ${quoted(this.#file)} and start again`,
    );
  }

  add(what: 'created' | 'verified', at: Instant): void {
    const isNew = !this.exists;
    const descriptor = openSync(this.#file, 'a', 0o600);
    try {
      writeSync(descriptor, line(at, what));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (isNew) syncFolder(join(this.#file, '..'));
  }

  /** Off the event loop: this is the disk that has just failed, and it may be that it never answers. */
  async addStopped(at: Instant, why: string): Promise<void> {
    const file = await open(this.#file, 'a', 0o600);
    try {
      await file.writeFile(line(at, 'stopped', why));
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #events(): readonly { readonly at: number; readonly what: string; readonly why: string }[] {
    if (!this.exists) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [at = '', what = '', ...why] = line.split(' ');
      return { at: Date.parse(at), what, why: why.join(' ') };
    });
  }
}

function line(at: Instant, what: string, why = ''): string {
  return `${[new Date(at).toISOString(), what, why.replaceAll(/\s+/g, ' ')].join(' ').trimEnd()}\n`;
}
