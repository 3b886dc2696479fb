import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
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
 * Whether there is a database, were it a damaged one.
 *
 * Looks before LMDB does, because what LMDB cannot open ends the process: on the way out of a failed open lmdb 3.5.6
 * uses memory that it has just freed, and a page beyond the end of the file is a bus error.
 *
 * @throws {DamagedError} when it is no LMDB file, or shorter than the pages in use
 */
export function hasDatabase(folder: string): boolean {
  const file = join(folder, DATA_FILE);
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return false;
    const needed = bytesInUse(descriptor, file);
    if (size >= needed) return true;
    throw new DamagedError(`${quoted(file)} has ${size} bytes, ${needed} are in use; restore a backup`);
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
