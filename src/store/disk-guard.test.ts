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
])('with %i bytes free: %s', (bytes, level) => {
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
    expect([size, mode & 0o777, await guard.reserved()]).toEqual([2 * MIB + 100, 0o600, 2 * MIB + 100]);
    await guard.replenish();
    expect(statSync(join(folder, 'reserve')).ino).toBe(ino);
  });

  test('is written once, however often it is asked for meanwhile', async () => {
    await Promise.all([guard.replenish(), guard.replenish(), guard.replenish()]);
    expect(await guard.reserved()).toBe(2 * MIB + 100);
  });

  test('is not made where that would use up the room for requests', async () => {
    free = 256 * MIB + 2 * MIB;
    await guard.replenish();
    expect(await guard.reserved()).toBe(0);
  });

  test('is given up when ending access meets a full disk, which is then tried once more', async () => {
    await guard.replenish();
    let tries = 0;
    const outcome = await guard.ending(async () => {
      tries += 1;
      return existsSync(join(folder, 'reserve')) ? full() : 'revoked';
    });
    expect([outcome, tries, await guard.reserved()]).toEqual(['revoked', 2, 0]);
  });

  test('is made again once there is room', async () => {
    await guard.replenish();
    await guard.ending(full).catch(() => undefined);
    expect(await guard.reserved()).toBe(0);
    await guard.replenish();
    expect(await guard.reserved()).toBe(2 * MIB + 100);
  });

  test('stays when all goes well, and when something else goes wrong', async () => {
    await guard.replenish();
    await guard.ending(async () => 'revoked');
    const mistake = new AccessError('not_found', 'no such grant');
    await expect(guard.ending(() => Promise.reject(mistake))).rejects.toBe(mistake);
    expect(await guard.reserved()).toBe(2 * MIB + 100);
  });

  test('that is not there changes nothing: ending fails as it did', async () => {
    let tries = 0;
    const ending = guard.ending(() => {
      tries += 1;
      return full();
    });
    await expect(ending).rejects.toThrow('the disk is full');
    expect(tries).toBe(1);
  });

  test('that cannot be written says so and leaves nothing half done', async () => {
    const nowhere = new DiskGuard({
      folder: join(folder, 'missing'),
      statfs: () => ({ type: 0, bavail: 1e9, bsize: 512 }),
    });
    await expect(nowhere.replenish()).rejects.toThrow('cannot be written; make room on the disk');
  });
});
