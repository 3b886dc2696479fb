import { open, type RootDatabase } from 'lmdb';
import { join } from 'node:path';
import { hasDatabase } from './data-file.js';
import { OPTIONS } from './environment.js';
import { quoted } from './folder.js';

/** A folder that is ours. */
export interface Claim {
  release(): Promise<void>;
}

/** What this process holds. LMDB must not be opened twice in one process: closing one drops the locks of both. */
const held = new Set<string>();

/**
 * Makes sure that no other process uses the folder. `folder` is a real path.
 *
 * Beside the data lies a second, empty LMDB environment of which nothing is used but the table of readers: each process
 * enters itself, and only then looks who else is there. So of two that come at the same time at least one sees the
 * other; both may give way, never neither. An entry counts for as long as its process holds a lock on the file, and the
 * kernel takes that from a killed one: there is no stale claim, and no moment in which two take over the same one.
 *
 * @throws {Error} when somebody else has it
 */
export async function claimFolder(folder: string): Promise<Claim> {
  if (held.has(folder))
    throw new Error(`data folder ${quoted(folder)} is already open in this process; close it first`);
  const path = join(folder, 'owner');
  assertOpenable(path, folder);
  held.add(folder);
  const owners = open({ path, ...OPTIONS });
  let entry: Entry | null = null;

  async function release(): Promise<void> {
    entry?.done();
    entry = null;
    await owners.close();
    held.delete(folder);
  }

  try {
    // Looked at before as well: of two containers each may call its process number 1, and LMDB would wait long for a
    // number that is taken.
    assertAlone(owners, folder, 0);
    entry = entered(owners, folder);
    assertAlone(owners, folder, 1);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

type Entry = ReturnType<RootDatabase['useReadTransaction']>;

function entered(owners: RootDatabase, folder: string): Entry {
  try {
    return owners.useReadTransaction();
  } catch (cause) {
    throw inUse(folder, [], cause);
  }
}

function assertAlone(owners: RootDatabase, folder: string, ours: number): void {
  owners.readerCheck(); // forgets those whose process is gone
  const pids = pidsIn(owners.readerList());
  if (pids.length > ours) throw inUse(folder, pids);
}

function inUse(folder: string, pids: readonly number[], cause?: unknown): Error {
  const others = pids.filter((pid) => pid !== process.pid);
  const who = others.length > 0 ? `process ${others.join(', ')}` : 'a process of another container';
  return new Error(`data folder ${quoted(folder)} is in use by ${who}; stop it first`, { cause });
}

function assertOpenable(path: string, folder: string): void {
  try {
    hasDatabase(path);
  } catch (cause) {
    throw new Error(`${quoted(path)} is damaged; make sure that nothing uses ${quoted(folder)}, then remove it`, {
      cause,
    });
  }
}

/** lmdb prints a line for each entry, the process id first, under one of headings. */
function pidsIn(list: string): readonly number[] {
  return list.split('\n').flatMap((line) => {
    const pid = /^\s*(\d+)\s/.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}
