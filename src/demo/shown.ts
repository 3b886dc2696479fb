import { realpathSync } from 'node:fs';
import { findCommand } from './run-command.js';

/** How this program runs, and where a shell would look for others. */
export interface Calling {
  readonly program: readonly [string, ...string[]];
  /** As in `PATH`. */
  readonly path: string;
  /** Started through npm, whose folders stand in the path of no other shell. */
  readonly throughNpm: boolean;
}

/**
 * How the program is called from any folder. Never through npm, which would look for a name that it does not know in a
 * registry, and run whatever somebody has put there.
 */
export function shownAs({ program: [node, ...words], path, throughNpm }: Calling): string {
  if (!throughNpm && isFound('portcullis', words.at(-1) ?? '', path)) return 'portcullis';
  return [isFound('node', node, path) ? 'node' : node, ...words].map(quoted).join(' ');
}

/** One word for a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function isFound(name: string, file: string, path: string): boolean {
  const found = findCommand(name, path);
  try {
    return found !== null && realpathSync(found) === realpathSync(file);
  } catch {
    return false;
  }
}
