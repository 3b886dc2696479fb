import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { systemReason } from '../policy/system-reason.js';

/** A folder that the demo cannot be put into; the message says why, and what to do. */
export class UnusableFolderError extends Error {
  override readonly name = 'UnusableFolderError';
}

/** The path of a Unix socket holds 107 bytes, and this is the longest that a demo has in its folder. */
const LONGEST = 107 - Buffer.byteLength('/run/authz.sock');

/**
 * The folder of one demo, made where it is missing; null: a new one among the temporary ones. Nothing is made of one that
 * cannot be used.
 *
 * @throws {UnusableFolderError}
 */
export function makeFolder(wanted: string | null, temporary: string = tmpdir()): string {
  const folder = wanted === null ? join(temporary, 'portcullis-demo-XXXXXX') : resolve(wanted);
  const bytes = Buffer.byteLength(folder);
  if (bytes > LONGEST)
    throw new UnusableFolderError(
      `the path ${JSON.stringify(folder)} is too long for the sockets in it: ${bytes} bytes, and ${LONGEST} are possible; name a shorter one with --dir`,
    );
  try {
    return wanted === null ? mkdtempSync(folder.slice(0, -'XXXXXX'.length)) : emptyFolder(folder);
  } catch (error) {
    if (error instanceof UnusableFolderError) throw error;
    throw new UnusableFolderError(`cannot use ${JSON.stringify(folder)}: ${systemReason(error)}`, { cause: error });
  }
}

function emptyFolder(folder: string): string {
  make(folder);
  if (readdirSync(folder).length === 0) return folder;
  throw new UnusableFolderError(`${JSON.stringify(folder)} is not empty; name another folder, or remove it`);
}

/** Not `recursive`: below a folder in which nothing can be made, such as /proc, that never ends. */
function make(folder: string): void {
  if (existsSync(folder)) return;
  make(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}
