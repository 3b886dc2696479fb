import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { Instant } from '../domain/time.js';
import type { Codec } from './codec.js';
import { DATA_FILE, hasDatabase } from './data-file.js';
import { DURABILITY, openNamed, openRoot, syncFolder, type Root } from './environment.js';
import { quoted } from './folder.js';
import { headBody } from './head.js';
import type { History } from './history.js';
import { HEAD_KEY, STAMP_KEY } from './keys.js';
import { LockSet } from './lock-set.js';
import { Records, type BinaryDatabase } from './records.js';
import { DamagedError } from './store.js';

/** What a database is made as; never changes afterwards. */
const STAMP: Canonical = { layout: 2, options: DURABILITY };

/** What an open folder works with. */
export interface Databases {
  readonly root: Root;
  /** A database of their own: there are very many, and what checks read should stay a shallow tree. */
  readonly decisions: BinaryDatabase;
}

/**
 * Opens the database of a folder, making it where there was none.
 *
 * @throws {DamagedError} when there was one and it is gone or cannot be believed
 * @throws {Error} when it was made with other options
 */
export async function openDatabase(folder: string, codec: Codec, history: History, now: Instant): Promise<Databases> {
  const isThere = hasDatabase(folder);
  if (!history.exists) await createDatabase(folder, codec, history, now);
  else if (!isThere) {
    throw new DamagedError(
      `${DATA_FILE} in ${quoted(folder)} is missing or empty, but the file "history" says that there was a database; ` +
        'restore a backup, or begin anew with an empty folder',
    );
  }
  const root = openRoot(folder);
  try {
    assertStamp(new Records(root, codec), folder);
    return { root, decisions: openNamed(root, 'decisions') };
  } catch (error) {
    await root.close();
    throw error;
  }
}

/**
 * Makes the database, and last the file that says so. A crash before that leaves an empty environment or a finished
 * database; both are taken from there.
 */
async function createDatabase(folder: string, codec: Codec, history: History, now: Instant): Promise<void> {
  const root = openRoot(folder);
  const records = new Records(root, codec);
  const isEmpty = root.getKeysCount({ limit: 1 }) === 0;
  if (isEmpty) {
    await root.transaction(() => {
      records.put(STAMP_KEY, STAMP);
      records.put(
        HEAD_KEY,
        headBody({ sequence: 0, highWaterMark: 0 as Instant, batches: 0, locks: LockSet.empty.seal }),
      );
    });
  }
  await root.close();
  syncFolder(folder);
  history.add('created', now);
}

function assertStamp(records: Records, folder: string): void {
  const stamp = believed(records, folder);
  if (stamp === undefined)
    throw new DamagedError(`the database in ${quoted(folder)} has lost its stamp; restore a backup`);
  if (canonicalJson(stamp) !== canonicalJson(STAMP)) {
    throw new Error(
      `the database in ${quoted(folder)} was made with ${canonicalJson(stamp)}, this release uses ` +
        `${canonicalJson(STAMP)}; go on with the release that made it`,
    );
  }
}

/** The first record that is read: if its MAC is wrong, the key is the likelier reason. */
function believed(records: Records, folder: string): Canonical | undefined {
  try {
    return records.find(STAMP_KEY, 'stamp');
  } catch (cause) {
    if (!(cause instanceof DamagedError)) throw cause;
    throw new DamagedError(
      `the MAC key does not belong to the database in ${quoted(folder)}, or the database is damaged; check the key file, ` +
        'then restore a backup',
      { cause },
    );
  }
}
