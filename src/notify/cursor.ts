import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { parsePosition, printPosition, type Position } from '../access/events/position.js';

/** How far notices have been delivered, in a small file beside the store. */
export interface Cursor {
  /** Null where none was ever delivered, or the file tells nothing. */
  read(): Position | null;
  /** Resolves when a restart would find it. */
  write(position: Position): Promise<void>;
}

/** Written anew and then put in its place: a crash leaves the old one or the new one. */
export function fileCursor(file: string): Cursor {
  return {
    read() {
      try {
        return parsePosition(readFileSync(file, 'utf8').trim());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async write(position) {
      const fresh = `${file}.new`;
      const handle = await open(fresh, 'w', 0o600);
      try {
        await handle.writeFile(`${printPosition(position)}\n`);
        // Or a power loss could leave an empty one, and what was never delivered would count as delivered.
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(fresh, file);
    },
  };
}
