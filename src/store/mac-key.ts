import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, readFileSync, realpathSync, writeSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { MAC_KEY_BYTES } from './codec.js';
import { syncFolder } from './environment.js';
import { quoted } from './folder.js';

/**
 * Reads the key that authenticates records. It lies outside the data folder, so that a copy or a backup of the data does
 * not carry it, and belongs to the user of the service alone.
 *
 * @throws {Error} that says what is wrong with the file and what to do
 */
export function readMacKey(file: string, dataFolder: string): Buffer {
  const descriptor = openKey(file);
  try {
    const { mode } = fstatSync(descriptor);
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `MAC key file ${quoted(file)} has mode ${(mode & 0o777).toString(8).padStart(4, '0')} and is open to others; ` +
          `run: chmod 0400 ${file}`,
      );
    }
    assertOutside(file, dataFolder);
    const key = readFileSync(descriptor);
    if (key.length === MAC_KEY_BYTES) return key;
    throw new Error(
      `MAC key file ${quoted(file)} has ${key.length} bytes instead of ${MAC_KEY_BYTES}; restore the file the database ` +
        'was made with',
    );
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes a new key file, readable for its owner only.
 *
 * @throws {Error} when there is a file already: a database without its key is lost
 */
export function createMacKey(file: string): void {
  const descriptor = openSync(file, 'wx', 0o400);
  try {
    fchmodSync(descriptor, 0o400);
    writeSync(descriptor, randomBytes(MAC_KEY_BYTES));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(resolve(file)));
}

function openKey(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new Error(
      `MAC key file ${quoted(file)} cannot be read; restore it, or for a new database run: portcullis init`,
      { cause },
    );
  }
}

/** Compares real paths: a link does not make it another place. */
function assertOutside(file: string, dataFolder: string): void {
  const key = realpathSync(file);
  const folder = existing(resolve(dataFolder));
  const way = relative(folder, key);
  if (way !== '..' && !way.startsWith(`..${sep}`)) {
    throw new Error(
      `MAC key file ${quoted(file)} lies in the data folder ${quoted(dataFolder)}; move it out, so that whoever copies ` +
        'the data does not get the key',
    );
  }
}

/** The real path of a folder that may not have been made yet. */
function existing(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    const parent = dirname(folder);
    return parent === folder ? folder : resolve(existing(parent), relative(parent, folder));
  }
}
