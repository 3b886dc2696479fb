import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { checkFolder, freeBytes, prepareFolder, type Statfs } from './folder.js';

const folders: string[] = [];
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  folders.push(folder);
});
afterAll(() => folders.forEach(removeFolder));

const EXT4 = 0xef53;
const of =
  (type: number): Statfs =>
  () => ({ type, bavail: 10, bsize: 4_096 });
const prepare = (path: string, type = EXT4, allowVolatile = false) =>
  prepareFolder(path, { allowVolatile, ask: of(type) });

test('makes a folder for its own user only, with the way to it, and returns the real path', () => {
  const wanted = join(folder, 'a', 'b');
  expect(prepare(wanted)).toBe(wanted);
  expect(statSync(wanted).mode & 0o777).toBe(0o700);
  symlinkSync(wanted, join(folder, 'link'));
  expect(prepare(join(folder, 'link'))).toBe(wanted);
});

test.each([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xff534d42 | 0, 'CIFS'], // signed, as some platforms hand it over
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
])('type %i is %s: refused, allowed to be volatile or not', (type, name) => {
  for (const allowVolatile of [false, true]) {
    expect(() => prepare(folder, type, allowVolatile)).toThrow(
      `is on ${name}, a network file system; choose a local disk`,
    );
  }
});

test.each([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x794c7630, 'overlay'],
])('type %i is %s: refused unless volatile data is allowed', (type, name) => {
  expect(() => prepare(folder, type)).toThrow(`is on ${name} and would be lost; choose a disk or mount a volume`);
  expect(prepare(folder, type, true)).toBe(folder);
});

test.each([EXT4, 0x58465342, 0x9123683e, 0x2fc12fc1])('type %i is a local disk', (type) => {
  expect(prepare(folder, type)).toBe(folder);
});

describe('a folder that cannot be written to', () => {
  test('is refused', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o555);
    asOrdinaryUser(() => {
      expect(() => prepare(closed)).toThrow(/closed" cannot be written to; mount it for writing/);
    });
  });
});

test('free bytes are those an ordinary user may have', () => {
  expect(freeBytes(folder, of(EXT4))).toBe(40_960);
});

/** root may write everywhere. */
function asOrdinaryUser(work: () => void): void {
  if (process.getuid!() !== 0) return work();
  chmodSync(folder, 0o755);
  process.seteuid!(65_534);
  try {
    work();
  } finally {
    process.seteuid!(0);
  }
}

describe('looking without writing', () => {
  const check = (path: string, type = EXT4, allowVolatile = false) =>
    checkFolder(path, { allowVolatile, ask: of(type) });

  test('makes nothing, and judges a folder that is not there yet by the one it will be made in', () => {
    check(join(folder, 'a', 'b'));
    expect(readdirSync(folder)).toEqual([]);
    expect(() => check(join(folder, 'a', 'b'), 0x6969)).toThrow('is on NFS');
    expect(() => check(join(folder, 'a', 'b'), 0x01021994)).toThrow('is on tmpfs');
    check(join(folder, 'a', 'b'), 0x01021994, true);
  });

  test('refuses a way that leads through a file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => check(join(folder, 'file', 'data'))).toThrow('cannot be written to');
  });
});
