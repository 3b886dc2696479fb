import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import * as lmdb from 'lmdb';
import { dirname } from 'node:path';
import type { BinaryDatabase } from './records.js';

/** The root of an environment of ours. */
export type Root = RootDatabase<Buffer, Buffer> & BinaryDatabase;

/**
 * Options that decide whether an acknowledged change survives. They are written into the database when it is made, and
 * a database made with others is refused: LMDB itself opens it without a word and then loses writes.
 */
export const DURABILITY = {
  // Durable before visible. lmdb's default shows a commit before it is on disk and reports a failed one as success.
  overlappingSync: false,
  noSync: false,
  noMetaSync: false,
  mapAsync: false,
  useWritemap: false,
  safeRestore: true,
  remapChunks: false,
  // No stale heap bytes on disk.
  noMemInit: false,
  // A cache would answer with what is not committed.
  cache: false,
  // Values are records of our own codec, keys are bytes of our own layout.
  encoding: 'binary',
  keyEncoding: 'binary',
  compression: false,
} as const;

export const OPTIONS = {
  ...DURABILITY,
  noSubdir: false,
  commitDelay: 0,
  // We group ourselves (`Writer`). lmdb's own grouping leaves a rejected promise behind that nobody can handle.
  eventTurnBatching: false,
  maxReaders: 126,
  maxDbs: 4,
  permissionsMode: 0o600,
} as const;

/** MDB_NOTLS, which lmdb always sets, and MDB_SAFE_RESTORE. Anything else would be another way to sync or to map. */
const EXPECTED_FLAGS = 0x20_0000 | 0x800;

/**
 * Opens the environment of a folder that has been looked at (`hasDatabase`), or makes it.
 *
 * @throws {Error} when LMDB does not do what it was asked for
 */
export function openRoot(folder: string): Root {
  const root = open<Buffer, Buffer>({ path: folder, ...OPTIONS }) as unknown as Root;
  try {
    assertFlags(root);
    return root;
  } catch (error) {
    void root.close();
    throw error;
  }
}

/** A database inside the environment, made where there is none. Waits for a commit under way, so it belongs to the start. */
export function openNamed(root: Root, name: string): BinaryDatabase {
  const { cache, encoding, keyEncoding } = OPTIONS;
  return root.openDB<Buffer, Buffer>(name, { cache, encoding, keyEncoding }) as BinaryDatabase;
}

/** Makes the names of new files durable: the folder, and its own name in its parent. */
export function syncFolder(folder: string): void {
  for (const path of [folder, dirname(folder)]) {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

interface Native {
  readonly nativeAddon: { getEnvFlags(address: number): number };
}

/** What was asked for is what LMDB does: a wrong build or a bundler that took another entry point shows here. */
function assertFlags(root: Root): void {
  const { env } = root as unknown as { readonly env: { readonly address: number } };
  const flags = (lmdb as unknown as Native).nativeAddon.getEnvFlags(env.address);
  if (flags !== EXPECTED_FLAGS) {
    throw new Error(
      `lmdb runs with flags 0x${flags.toString(16)} instead of 0x${EXPECTED_FLAGS.toString(16)}; ` +
        'install version 3.5.6 as package-lock.json names it',
    );
  }
}
