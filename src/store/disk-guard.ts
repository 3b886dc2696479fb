import { randomBytes } from 'node:crypto';
import { open, stat, unlink } from 'node:fs/promises';
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

  /** Where the free space cannot be found out, as if there were none. */
  level(): DiskLevel {
    const free = this.#free();
    if (free < this.#thresholds.nothing) return 'nothing';
    if (free < this.#thresholds.endingsOnly) return 'endings_only';
    return free < this.#thresholds.noRequests ? 'no_requests' : 'all';
  }

  /**
   * Runs what ends access: a revocation, a lock. If that meets a full disk, the reserve is given up and it runs once
   * more, so it must be repeatable; `storage_full` means that nothing of it was kept.
   */
  async ending<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AccessError) || error.code !== 'storage_full') throw error;
      if (!(await this.#giveUp())) throw error;
      return work();
    }
  }

  /**
   * Makes the reserve where it is missing or was given up, once there is plenty of room again. May be called as often as
   * one likes.
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
  async reserved(): Promise<number> {
    try {
      return (await stat(this.#reserve)).size;
    } catch {
      return 0;
    }
  }

  async #replenish(): Promise<void> {
    if ((await this.reserved()) === this.#reserveBytes) return;
    if (this.#free() - this.#reserveBytes < this.#thresholds.noRequests) return;
    await this.#write();
  }

  #free(): number {
    try {
      const free = freeBytes(this.#folder, this.#statfs);
      return Number.isFinite(free) ? free : 0;
    } catch {
      return 0;
    }
  }

  async #giveUp(): Promise<boolean> {
    try {
      await unlink(this.#reserve);
      return true;
    } catch {
      return false;
    }
  }

  /** Random bytes: a file system that compresses would keep no room back for zeros. */
  async #write(): Promise<void> {
    try {
      const file = await open(this.#reserve, 'w', 0o600);
      try {
        for (let left = this.#reserveBytes; left > 0; left -= MEBIBYTE) {
          await file.writeFile(randomBytes(Math.min(left, MEBIBYTE)));
        }
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      await this.#giveUp();
      throw new Error(`the reserve ${quoted(this.#reserve)} cannot be written; make room on the disk`, { cause });
    }
  }
}
