import { seconds, type Duration, type Instant } from '../domain/time.js';
import { claimFolder, type Claim } from './claim.js';
import { codecWith } from './codec.js';
import { lengthenDatabase } from './data-file.js';
import { prepareFolder, quoted, statfs, type Statfs } from './folder.js';
import { History } from './history.js';
import { OpenStore } from './open-store.js';
import { openDatabase } from './start.js';
import { DamagedError, type Store } from './store.js';
import type { Verification } from './verify.js';

export interface LmdbStore extends Store {
  /**
   * Looks at every record, slice by slice beside everything else. What to do about damage is the caller's decision.
   * `giveWay` is waited for between two slices.
   */
  verifyAll(giveWay?: () => Promise<void>): Promise<Verification>;
  /** Size on disk. */
  bytes(): number;
}

export interface LmdbStoreOptions {
  /** Made if it does not exist. Holds nothing but this store. */
  readonly folder: string;
  /** 32 bytes from `readMacKey`. */
  readonly macKey: Buffer;
  readonly now: () => Instant;
  /**
   * Called once, when storage has failed: a commit was refused, or is late, or the file is not the one that was opened.
   * Nothing can be read or written from then on; the process should end with code 70 and be started again.
   */
  readonly onFailStop: (cause: Error) => void;
  /** Accept a folder that does not outlive the machine or the container. */
  readonly allowVolatile?: boolean;
  readonly statfs?: Statfs;
  /** How long a commit may take. */
  readonly commitDeadline?: Duration;
  /** Free bytes below which no commit is tried. */
  readonly minimumRoom?: number;
}

const COMMIT_DEADLINE = seconds(5);

/**
 * More than a commit needs. LMDB writes many pages at once, and a disk that fills up under it makes a short write, which
 * it reports as an I/O error: then nobody can tell a full disk from a broken one. So we do not let it come to that.
 */
const MINIMUM_ROOM = 4 * 2 ** 20;

/**
 * Opens the store of a folder, making it where there is none. It is this process's alone until it is closed.
 *
 * @throws {DamagedError} when what is there cannot be believed
 * @throws {Error} that says why the folder cannot be used, and what to do
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const { allowVolatile = false, statfs: ask = statfs } = options;
  const codec = codecWith(options.macKey);
  const folder = prepareFolder(options.folder, { allowVolatile, ask });
  const claim = await claimFolder(folder);
  const history = new History(folder);
  let wasShort = false;
  const store = await released(claim, async () => {
    history.assertNotFailing(options.now());
    wasShort = lengthenDatabase(folder);
    const databases = await openDatabase(folder, codec, history, options.now());
    const defaults = { commitDeadline: COMMIT_DEADLINE, minimumRoom: MINIMUM_ROOM };
    return new OpenStore(databases, { ...defaults, ...options, folder, codec, claim, history, statfs: ask });
  });
  try {
    await store.selfTest();
    if (history.needsVerification()) await verifyAfterFailure(store, history, options.now());
    return store;
  } catch (error) {
    await store.close();
    throw wasShort ? cutOff(folder, error) : error;
  }
}

function cutOff(folder: string, cause: unknown): DamagedError {
  return new DamagedError(`the end of the database in ${quoted(folder)} has been cut off; restore a backup`, { cause });
}

/** Gives the folder back when it could not be opened. */
async function released<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await claim.release();
    throw error;
  }
}

/** What failed may have damaged what it wrote, so nothing is served before everything has been looked at. */
async function verifyAfterFailure(store: LmdbStore, history: History, now: Instant): Promise<void> {
  const { damaged } = await store.verifyAll();
  if (damaged.length > 0) {
    throw new DamagedError(
      `storage failed earlier and the database is damaged: ${damaged[0]}` +
        `${damaged.length > 1 ? ` (and ${damaged.length - 1} more)` : ''}; restore a backup`,
    );
  }
  history.add('verified', now);
}
