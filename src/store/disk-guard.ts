import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AccessError } from '../domain/errors.js';
import { freeBytes, quoted, type Statfs } from './folder.js';

/** What may still be written: everything, no new requests, only what ends access, nothing at all. */
export type DiskLevel = 'all' | 'no_requests' | 'endings_only' | 'nothing';

const MEBIBYTE = 2 ** 20;

/** Free bytes below which a level begins. */
export interface DiskThresholds {
  readonly noRequests: number;
  readonly endingsOnly: number;
  readonly nothing: number;
}

const THRESHOLDS: DiskThresholds = {
  noRequests: 256 * MEBIBYTE,
  endingsOnly: 64 * MEBIBYTE,
  nothing: 16 * MEBIBYTE,
};

const RESERVE_BYTES = 32 * MEBIBYTE;

/**
 * Watches the free space of the data folder and keeps some of it back, so that a full disk never keeps anybody in:
 * requests stop first, ending access stops last.
 */
export class DiskGuard {
  readonly #folder: string;
  readonly #statfs: Statfs;
  readonly #thresholds: DiskThresholds;
  readonly #reserve: string;
  readonly #reserveBytes: number;
  #replenishing: Promise<void> | null = null;
  #givingUp: Promise<void> | null = null;
  /** From the moment the reserve is given up until it is there again. */
  #isGivenUp = false;

  constructor({
    folder,
    statfs,
    thresholds = THRESHOLDS,
    reserveBytes = RESERVE_BYTES,
  }: {
    readonly folder: string;
    readonly statfs: Statfs;
    readonly thresholds?: DiskThresholds;
    readonly reserveBytes?: number;
  }) {
    this.#folder = folder;
    this.#statfs = statfs;
    this.#thresholds = thresholds;
    this.#reserve = join(folder, 'reserve');
    this.#reserveBytes = reserveBytes;
  }

  /**
   * What is missing of the reserve counts as used: room that was given up for ending access is for nothing else. Where
   * free space says little (a quota), nothing else is written until the reserve is back. Where the free space cannot be
   * found out, as if there were none.
   */
  level(): DiskLevel {
    const free = this.#freeForAll();
    if (this.#isGivenUp || free < this.#thresholds.nothing) return 'nothing';
    if (free < this.#thresholds.endingsOnly) return 'endings_only';
    return free < this.#thresholds.noRequests ? 'no_requests' : 'all';
  }

  /**
   * Runs what ends access: a revocation, a lock. If that meets a full disk, the reserve is given up and it runs once
   * more, so it must be repeatable; `storage_full` means that nothing of it was kept. Also where there was no reserve to
   * give up: another ending may just have done it.
   */
  async ending<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AccessError) || error.code !== 'storage_full') throw error;
      await this.#giveUp();
      return work();
    }
  }

  /**
   * Makes the reserve where it is missing or was given up, once there is room for it. May be called as often as one likes.
   *
   * @throws {Error} when it cannot be written
   */
  replenish(): Promise<void> {
    this.#replenishing ??= this.#replenish().finally(() => {
      this.#replenishing = null;
    });
    return this.#replenishing;
  }

  /** Bytes that are kept back now. */
  reserved(): number {
    try {
      return statSync(this.#reserve).size;
    } catch {
      return 0;
    }
  }

  /** Makes no difference to the level, so the least room at which anything is written is enough for it. */
  async #replenish(): Promise<void> {
    if (this.#givingUp !== null) return;
    if (this.reserved() !== this.#reserveBytes) {
      if (this.#freeForAll() < this.#thresholds.nothing) return;
      await this.#write();
    }
    this.#isGivenUp = false;
  }

  #freeForAll(): number {
    return this.#free() - Math.max(0, this.#reserveBytes - this.reserved());
  }

  #free(): number {
    try {
      const free = freeBytes(this.#folder, this.#statfs);
      return Number.isFinite(free) ? free : 0;
    } catch {
      return 0;
    }
  }

  /** Once for all endings that meet the full disk together. */
  #giveUp(): Promise<void> {
    this.#isGivenUp = true;
    this.#givingUp ??= this.#remove().finally(() => {
      this.#givingUp = null;
    });
    return this.#givingUp;
  }

  async #remove(): Promise<void> {
    await this.#replenishing?.catch(() => undefined); // it stops: a file that is still open keeps its room
    await unlink(this.#reserve).catch(() => undefined);
  }

  /** Random bytes: a file system that compresses would keep no room back for zeros. */
  async #write(): Promise<void> {
    try {
      const file = await open(this.#reserve, 'w', 0o600);
      try {
        for (let left = this.#reserveBytes; left > 0; left -= MEBIBYTE) {
          if (this.#givingUp !== null) throw new Error('the room is needed');
          await file.writeFile(randomBytes(Math.min(left, MEBIBYTE)));
        }
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      await unlink(this.#reserve).catch(() => undefined);
      throw new Error(`the reserve ${quoted(this.#reserve)} cannot be written; make room on the disk`, { cause });
    }
  }
}
