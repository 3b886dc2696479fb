import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { quoted } from './folder.js';
import { DamagedError } from './store.js';

/** LMDB's own file in the folder. */
export const DATA_FILE = 'data.mdb';

/**
 * The first two pages of the file, which take turns in naming the last commit (native byte order, which is little-endian
 * wherever lmdb is built):
 *
 *     offset  0                18          24      28        48          144         152
 *             +----------------+-----------+-------+---------+-----------+-----------+-----------+
 *             | …              | flags: 08 | magic | version | page size | last page | number of |
 *             |                |           |       |         |           | in use    | commit    |
 *             +----------------+-----------+-------+---------+-----------+-----------+-----------+
 *     bytes   …                2           4       4         4           8           8
 */
const AT = { flags: 18, magic: 24, version: 28, pageSize: 48, lastPage: 144, commit: 152 } as const;
const META_BYTES = 160;
const META_FLAG = 0x08;
const MAGIC = 0xbeef_c0de;
const VERSION = 2;

/**
 * LMDB counts pages that one transaction took and gave back as used, and need not write them: at the end of a sound file
 * some may be missing. So many are made good; where more are missing something was cut off.
 */
const UNWRITTEN = 1024 * 1024;

/**
 * Whether there is a database, were it a damaged one.
 *
 * Looks before LMDB does, because what LMDB cannot open ends the process: on the way out of a failed open lmdb 3.5.6
 * uses memory that it has just freed, and a page beyond the end of the file is a bus error (see `lengthenDatabase`).
 *
 * @throws {DamagedError} when it is no LMDB file, or far shorter than the pages in use
 */
export function hasDatabase(folder: string): boolean {
  return withDatabase(folder, 'r', () => true) ?? false;
}

/**
 * Lengthens the file to the pages in use, so that none lies beyond its end; false where that was not needed. Were a page
 * lost that meant something, it is empty now: damage like any other, found when it is read and by the look at every record.
 *
 * @throws {DamagedError} as `hasDatabase`
 */
export function lengthenDatabase(folder: string): boolean {
  const lengthen = (descriptor: number, { size, needed }: Sizes): boolean => {
    if (size >= needed) return false;
    ftruncateSync(descriptor, needed);
    return true;
  };
  return withDatabase(folder, 'r+', lengthen) ?? false;
}

interface Sizes {
  readonly size: number;
  /** By the newest commit. */
  readonly needed: number;
}

/** Opens the file of a database that may be opened by LMDB; undefined where there is none. */
function withDatabase<T>(
  folder: string,
  flags: 'r' | 'r+',
  use: (descriptor: number, sizes: Sizes) => T,
): T | undefined {
  const file = join(folder, DATA_FILE);
  if (!existsSync(file)) return undefined;
  const descriptor = openSync(file, flags);
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return undefined;
    const needed = bytesInUse(descriptor, file);
    if (size + UNWRITTEN < needed)
      throw new DamagedError(`${quoted(file)} has ${size} bytes, ${needed} are in use; restore a backup`);
    return use(descriptor, { size, needed });
  } finally {
    closeSync(descriptor);
  }
}

function bytesInUse(descriptor: number, file: string): number {
  const first = metaAt(descriptor, 0, file);
  const pageSize = first.readUInt32LE(AT.pageSize);
  const second = metaAt(descriptor, pageSize, file);
  const newest = first.readBigUInt64LE(AT.commit) > second.readBigUInt64LE(AT.commit) ? first : second;
  return (Number(newest.readBigUInt64LE(AT.lastPage)) + 1) * pageSize;
}

function metaAt(descriptor: number, offset: number, file: string): Buffer {
  const meta = Buffer.alloc(META_BYTES);
  const isMeta =
    readSync(descriptor, meta, 0, META_BYTES, offset) === META_BYTES &&
    (meta.readUInt16LE(AT.flags) & META_FLAG) !== 0 &&
    meta.readUInt32LE(AT.magic) === MAGIC &&
    meta.readUInt32LE(AT.version) === VERSION;
  if (isMeta) return meta;
  throw new DamagedError(`${quoted(file)} is no database of this release, or is damaged; restore a backup`);
}
