import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  realpathSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What is asked of the file system; `node:fs` statfs answers it. */
export type Statfs = (path: string) => { readonly type: number; readonly bavail: number; readonly bsize: number };

export const statfs: Statfs = (path) => statfsSync(path);

/** Free bytes for processes without special rights. */
export function freeBytes(folder: string, ask: Statfs): number {
  const { bavail, bsize } = ask(folder);
  return bavail * bsize;
}

// Numbers: statfs(2) and linux/magic.h. LMDB needs memory maps and locks that every process sees at once, which file
// systems with another host behind them do not give.
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0x7c7c6673, 'Parallels shared folder'],
]);

const VOLATILE: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x794c7630, 'overlay'],
]);

/**
 * Makes the folder where there is none and returns its real path.
 *
 * @throws {Error} for a folder that cannot keep data safely
 */
export function prepareFolder(folder: string, demands: Demands): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = realpathSync(folder);
  assertKeeps(path, demands);
  assertWritable(path);
  return path;
}

/**
 * The same, as far as it can be said without making or writing anything: of a folder that is not there yet, by the one
 * that it will be made in.
 *
 * @throws {Error} for a folder that cannot keep data safely
 */
export function checkFolder(folder: string, demands: Demands): void {
  const path = realpathSync(nearestOf(resolve(folder)));
  assertKeeps(path, demands);
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

/** The folder itself, or what is there of the way to it. */
function nearestOf(folder: string): string {
  return existsSync(folder) ? folder : nearestOf(dirname(folder));
}

interface Demands {
  readonly allowVolatile: boolean;
  readonly ask: Statfs;
}

function assertKeeps(path: string, { allowVolatile, ask }: Demands): void {
  const type = ask(path).type >>> 0; // libuv hands it over signed on some platforms
  const network = NETWORK.get(type);
  if (network !== undefined) {
    throw new Error(`data folder ${quoted(path)} is on ${network}, a network file system; choose a local disk`);
  }
  const gone = VOLATILE.get(type);
  if (gone !== undefined && !allowVolatile) {
    throw new Error(
      `data folder ${quoted(path)} is on ${gone} and would be lost; choose a disk or mount a volume, ` +
        'or set storage.allowVolatile for a demonstration',
    );
  }
}

/** Tries it: rights, read-only mounts and whatever else may be in the way show themselves only then. */
function assertWritable(path: string): void {
  const probe = join(path, 'probe');
  try {
    writeFileSync(probe, '');
    unlinkSync(probe);
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

function notWritable(path: string, cause: unknown): Error {
  return new Error(
    `data folder ${quoted(path)} cannot be written to; mount it for writing and give it to the user of the service`,
    { cause },
  );
}

export function quoted(path: string): string {
  return JSON.stringify(path);
}
