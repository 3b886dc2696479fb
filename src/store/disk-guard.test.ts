import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AccessError } from '../domain/errors.js';
import { removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { DiskGuard } from './disk-guard.js';

const MIB = 2 ** 20;
const folders: string[] = [];
let folder: string;
let free: number;
let guard: DiskGuard;
beforeEach(() => {
  folder = temporaryFolder();
  folders.push(folder);
  free = 1_000 * MIB;
  const statfs = () => ({ type: 0, bavail: free / 512, bsize: 512 });
  guard = new DiskGuard({ folder, statfs, reserveBytes: 2 * MIB + 100 });
});
afterAll(() => folders.forEach(removeFolder));

const full = () => Promise.reject(new AccessError('storage_full', 'the disk is full'));

test.each([
  [256 * MIB, 'all'],
  [256 * MIB - 512, 'no_requests'],
  [64 * MIB, 'no_requests'],
  [64 * MIB - 512, 'endings_only'],
  [16 * MIB, 'endings_only'],
  [16 * MIB - 512, 'nothing'],
  [0, 'nothing'],
])('with %i bytes free beside the reserve: %s', async (bytes, level) => {
  await guard.replenish();
  free = bytes;
  expect(guard.level()).toBe(level);
});

test.each([() => Number.NaN, () => -1])('what makes no sense counts as nothing free', (bytes) => {
  free = bytes();
  expect(guard.level()).toBe('nothing');
});

test('free space that cannot be found out counts as nothing', () => {
  const statfs = () => {
    throw new Error('EIO');
  };
  expect(new DiskGuard({ folder, statfs }).level()).toBe('nothing');
});

describe('the reserve', () => {
  test('is written in full, for its owner only, and once', async () => {
    await guard.replenish();
    const { size, mode, ino } = statSync(join(folder, 'reserve'));
    expect([size, mode & 0o777, guard.reserved()]).toEqual([2 * MIB + 100, 0o600, 2 * MIB + 100]);
    await guard.replenish();
    expect(statSync(join(folder, 'reserve')).ino).toBe(ino);
  });

  test('is written once, however often it is asked for meanwhile', async () => {
    await Promise.all([guard.replenish(), guard.replenish(), guard.replenish()]);
    expect(guard.reserved()).toBe(2 * MIB + 100);
  });

  test('counts as used before it is there, so that making it changes nothing else', async () => {
    free = 256 * MIB + 2 * MIB;
    expect(guard.level()).toBe('no_requests');
    free = 256 * MIB + 2 * MIB + 512;
    expect(guard.level()).toBe('all');
  });

  test('is not made where nothing more is to be written', async () => {
    free = 16 * MIB + 2 * MIB;
    await guard.replenish();
    expect(guard.reserved()).toBe(0);
    free = 16 * MIB + 2 * MIB + 512;
    await guard.replenish();
    expect(guard.reserved()).toBe(2 * MIB + 100);
  });

  test('is given up when ending access meets a full disk, which is then tried once more', async () => {
    await guard.replenish();
    let tries = 0;
    const outcome = await guard.ending(async () => {
      tries += 1;
      return existsSync(join(folder, 'reserve')) ? full() : 'revoked';
    });
    expect([outcome, tries, guard.reserved()]).toEqual(['revoked', 2, 0]);
  });

  test('is made again once there is room', async () => {
    await guard.replenish();
    await guard.ending(full).catch(() => undefined);
    expect(guard.reserved()).toBe(0);
    await guard.replenish();
    expect(guard.reserved()).toBe(2 * MIB + 100);
  });

  test('that was given up is room for endings alone, also where free space looks plentiful (a quota)', async () => {
    await guard.replenish();
    await guard.ending(full).catch(() => undefined);
    expect(guard.level()).toBe('nothing');
    await guard.replenish();
    expect(guard.level()).toBe('all');
  });

  test('that was given up on a full disk leaves the level where it was, and stays given up', async () => {
    await guard.replenish();
    free = 4 * MIB;
    await guard.ending(full).catch(() => undefined);
    free += 2 * MIB;
    await guard.replenish();
    expect([guard.level(), guard.reserved()]).toEqual(['nothing', 0]);
    // Also for the next process, which has not seen it.
    free = 17 * MIB;
    const statfs = () => ({ type: 0, bavail: free / 512, bsize: 512 });
    expect(new DiskGuard({ folder, statfs, reserveBytes: 2 * MIB }).level()).toBe('nothing');
  });

  test('lets all endings through that meet the full disk together', async () => {
    await guard.replenish();
    const work = async () => (existsSync(join(folder, 'reserve')) ? full() : 'revoked');
    const several = [guard.ending(work), guard.ending(work), guard.ending(work)];
    expect(await Promise.all(several)).toEqual(['revoked', 'revoked', 'revoked']);
  });

  test('that is just being written is given up all the same, and no open file keeps its room', async () => {
    let isWriting = true;
    const writing = guard
      .replenish()
      .catch(() => undefined)
      .then(() => (isWriting = false));
    let tries = 0;
    const ending = guard.ending(async () => (tries++ === 0 ? full() : [isWriting, guard.reserved()]));
    expect(await ending).toEqual([false, 0]);
    await writing;
    expect(guard.reserved()).toBe(0);
  });

  test('stays when all goes well, and when something else goes wrong', async () => {
    await guard.replenish();
    await guard.ending(async () => 'revoked');
    const mistake = new AccessError('not_found', 'no such grant');
    await expect(guard.ending(() => Promise.reject(mistake))).rejects.toBe(mistake);
    expect(guard.reserved()).toBe(2 * MIB + 100);
  });

  test('that is not there: another ending may have made room, so it is tried once more and then fails as it did', async () => {
    let tries = 0;
    const ending = guard.ending(() => {
      tries += 1;
      return full();
    });
    await expect(ending).rejects.toThrow('the disk is full');
    expect(tries).toBe(2);
  });

  test('that cannot be written says so and leaves nothing half done', async () => {
    const nowhere = new DiskGuard({
      folder: join(folder, 'missing'),
      statfs: () => ({ type: 0, bavail: 1e9, bsize: 512 }),
    });
    await expect(nowhere.replenish()).rejects.toThrow('cannot be written; make room on the disk');
  });
});
