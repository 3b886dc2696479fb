import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DATA_FILE } from './data-file.js';
import { quoted } from './folder.js';

/** Notices that the file under an open database has been removed, replaced or cut: what is written then is lost. */
export class FileWatch {
  readonly #file: string;
  readonly #identity: string;
  #size = 0;

  constructor(folder: string) {
    this.#file = join(folder, DATA_FILE);
    this.#identity = this.#look().identity;
  }

  /** @throws {Error} when it is not the file that was opened */
  assertSame(): void {
    const { identity, size } = this.#look();
    if (identity !== this.#identity) throw new Error(`${quoted(this.#file)} has been replaced while it was open`);
    if (size < this.#size) throw new Error(`${quoted(this.#file)} has been cut from ${this.#size} to ${size} bytes`);
    this.#size = size;
  }

  size(): number {
    return this.#look().size;
  }

  #look(): { readonly identity: string; readonly size: number } {
    const { dev, ino, size } = statSync(this.#file);
    return { identity: `${dev}.${ino}`, size };
  }
}
