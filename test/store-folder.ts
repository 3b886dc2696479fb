import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duration } from '../src/domain/time.js';
import { openLmdbStore, type LmdbStore, type LmdbStoreOptions } from '../src/store/lmdb.js';
import { T0 } from './builders.js';

/** The MAC key of all test stores. */
export const macKey = Buffer.alloc(32, 7);

/** A fresh folder in memory where there is such a place: unit tests make thousands of commits and mean none to last. */
export function temporaryFolder(): string {
  return mkdtempSync(join(isWritable('/dev/shm') ? '/dev/shm' : tmpdir(), 'portcullis-store-'));
}

/** A fresh folder on a disk. */
export function temporaryDiskFolder(): string {
  return mkdtempSync(join(tmpdir(), 'portcullis-store-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Opens a store as tests do; whatever stops it fails the test that caused it. */
export function openTestStore(folder: string, over: Partial<LmdbStoreOptions> = {}): Promise<LmdbStore> {
  return openLmdbStore({
    folder,
    macKey,
    now: () => T0,
    onFailStop: (cause) => {
      throw cause;
    },
    allowVolatile: true,
    commitDeadline: 5_000 as Duration,
    ...over,
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
