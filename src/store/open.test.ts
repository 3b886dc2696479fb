import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { at, grant, lock } from '../../test/builders.js';
import { answersOf } from '../../test/contract/store-replay.js';
import { flipped, forged, recordsIn, takeAndGiveBack, tamper } from '../../test/store-damage.js';
import { macKey, openTestStore, removeFolder, temporaryDiskFolder, temporaryFolder } from '../../test/store-folder.js';
import { run } from '../../test/store-processes.js';
import { decision, recorded } from '../../test/store-scenes.js';
import { DATA_FILE } from './data-file.js';
import { DURABILITY, openRoot } from './environment.js';
import { grantKey, STAMP_KEY } from './keys.js';
import { openLmdbStore } from './lmdb.js';
import { DamagedError } from './store.js';

const folders: string[] = [];
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  folders.push(folder);
});
afterAll(() => folders.forEach(removeFolder));

/** A closed store with something in it. */
async function fill(path = folder): Promise<void> {
  const store = await openTestStore(path);
  await recorded(store, 3, { action: 'grant.created', grant: grant() }, { action: 'lock.created', lock: lock() });
  await store.recordDecisions([decision(4)]);
  await store.close();
}

const opening = (over: Parameters<typeof openTestStore>[1] = {}) => openTestStore(folder, over);

describe('a restart', () => {
  test('keeps everything', async () => {
    const store = await openTestStore(folder);
    await recorded(store, 3, { action: 'grant.created', grant: grant() }, { action: 'lock.created', lock: lock() });
    await store.recordDecisions([decision(4)]);
    const before = [store.read((s) => answersOf(s, 5)), store.decisions({ limit: 5 }), store.highWaterMark()];
    await store.close();
    const again = await opening();
    expect([again.read((s) => answersOf(s, 5)), again.decisions({ limit: 5 }), again.highWaterMark()]).toEqual(before);
    await again.close();
  });

  test('keeps everything where LMDB has not written the last pages, which mean nothing', async () => {
    await fill();
    await takeAndGiveBack(folder, 100);
    const { size } = statSync(join(folder, DATA_FILE));
    const store = await opening();
    expect(statSync(join(folder, DATA_FILE)).size).toBeGreaterThan(size);
    expect(store.read((s) => s.sequence)).toBe(2);
    expect(await store.verifyAll()).toMatchObject({ damaged: [] });
    await store.close();
  });

  test('after a crash while the database was made makes it anew', async () => {
    await openRoot(folder).close(); // files, and nothing in them
    const store = await opening();
    expect(store.read((s) => s.sequence)).toBe(0);
    await store.close();
  });

  test('after a crash between the database and its history goes on with the database', async () => {
    await fill();
    rmSync(join(folder, 'history'));
    const store = await opening();
    expect(store.read((s) => s.sequence)).toBe(2);
    await store.close();
    expect(existsSync(join(folder, 'history'))).toBe(true);
  });
});

test('files are for the user of the service alone', async () => {
  await fill();
  for (const file of [DATA_FILE, 'lock.mdb', 'history', join('owner', 'lock.mdb')]) {
    expect([file, statSync(join(folder, file)).mode & 0o077]).toEqual([file, 0]);
  }
});

test('a folder with a dot in its name is a folder', async () => {
  const dotted = join(folder, 'data.d');
  await fill(dotted);
  expect(statSync(dotted).isDirectory()).toBe(true);
});

test('tmpfs is refused where data must last', async () => {
  const disk = temporaryDiskFolder();
  folders.push(disk);
  const statfs = () => ({ type: 0x01021994, bavail: 1e6, bsize: 4_096 });
  await expect(openTestStore(disk, { allowVolatile: false, statfs })).rejects.toThrow('is on tmpfs');
});

describe('refused, with a message that says what to do:', () => {
  test('another MAC key', async () => {
    await fill();
    await expect(opening({ macKey: Buffer.alloc(32, 8) })).rejects.toThrow(
      /the MAC key does not belong to the database in .*; check the key file/,
    );
  });

  test('a MAC key of the wrong length, before anything is touched', async () => {
    await expect(opening({ macKey: Buffer.alloc(16) })).rejects.toThrow('must have 32 bytes');
    expect(existsSync(join(folder, DATA_FILE))).toBe(false);
  });

  test('a database that was made with other options', async () => {
    await fill();
    const lazy = { layout: 1, options: { ...DURABILITY, overlappingSync: true } };
    await tamper(folder, forged(STAMP_KEY, lazy));
    await expect(opening()).rejects.toThrow(/was made with .*"overlappingSync":true.*; go on with the release/);
  });

  test('a database of another layout', async () => {
    await fill();
    await tamper(folder, forged(STAMP_KEY, { layout: 1, options: DURABILITY }));
    await expect(opening()).rejects.toThrow('"layout":1');
  });

  test('a database that has lost its stamp', async () => {
    await fill();
    await tamper(folder, { key: STAMP_KEY, record: null });
    await expect(opening()).rejects.toThrow('has lost its stamp; restore a backup');
  });

  test.each([
    ['missing', () => rmSync(join(folder, DATA_FILE))],
    ['empty', () => truncateSync(join(folder, DATA_FILE), 0)],
  ])('a folder whose database is %s', async (_, lose) => {
    await fill();
    lose();
    await expect(opening()).rejects.toThrow(/is missing or empty.*restore a backup, or begin anew/);
    await expect(opening()).rejects.toThrow(DamagedError);
  });

  test.each([1, 3, 5])('a database cut to %i pages', async (pages) => {
    await fill();
    truncateSync(join(folder, DATA_FILE), pages * 4_096);
    const refused = opening();
    await expect(refused).rejects.toThrow(DamagedError);
    await expect(refused).rejects.toThrow('restore a backup');
  });

  test('a database that has lost more than a mebibyte at its end', async () => {
    await fill();
    await takeAndGiveBack(folder, 400);
    truncateSync(join(folder, DATA_FILE), 40 * 4_096);
    await expect(opening()).rejects.toThrow(/has \d+ bytes, \d+ are in use; restore a backup/);
  });

  test('a database cut off near its end is refused, or its damage is found, or nothing is missing', async () => {
    const store = await openTestStore(folder);
    for (let n = 1; n <= 60; n++) await store.recordDecisions([decision(n), decision(n + 100), decision(n + 200)]);
    await store.close();
    const whole = readFileSync(join(folder, DATA_FILE));
    const seen = new Set<string>();
    for (let lost = 1; lost * 4_096 < whole.length - 8_192; lost += 3) {
      const cut = temporaryFolder();
      folders.push(cut);
      cpSync(folder, cut, { recursive: true });
      writeFileSync(join(cut, DATA_FILE), whole.subarray(0, whole.length - lost * 4_096));
      const opened = await openTestStore(cut).catch((error: unknown) => error as Error);
      if (opened instanceof Error) {
        expect(opened.message).toMatch(/restore a backup/);
        seen.add('refused');
      } else {
        const { damaged } = await opened.verifyAll().catch((error: Error) => ({ damaged: [error.message] }));
        if (damaged.length === 0) expect(opened.decisions({ limit: 500 }).items).toHaveLength(180);
        seen.add(damaged.length === 0 ? 'sound' : 'damaged');
        await opened.close();
      }
    }
    expect(seen).toContain('refused');
  });

  test('something that is no database', async () => {
    await fill();
    writeFileSync(join(folder, DATA_FILE), Buffer.alloc(40_960, 'x'));
    await expect(opening()).rejects.toThrow('is no database of this release, or is damaged');
  });

  test('a folder that this process has open', async () => {
    const store = await opening();
    await expect(opening()).rejects.toThrow('is already open in this process; close it first');
    await recorded(store, 1, { action: 'lock.created', lock: lock() }); // and the first goes on
    await store.close();
    await (await opening()).close();
  });

  test('a folder in which storage fails again and again', async () => {
    await fill();
    const lines = [0, 1, 2].map((ms) => `${new Date(at(ms)).toISOString()} stopped EIO\n`).join('');
    writeFileSync(join(folder, 'history'), lines, { flag: 'a' });
    await expect(opening()).rejects.toThrow('storage failed 3 times within ten minutes');
  });
});

test('a refusal gives the folder back', async () => {
  await fill();
  await expect(opening({ macKey: Buffer.alloc(32, 8) })).rejects.toThrow('MAC key');
  const store = await opening();
  expect(store.read((s) => s.sequence)).toBe(2);
  await store.close();
});

describe('after a fail-stop', () => {
  const stop = () =>
    writeFileSync(join(folder, 'history'), `${new Date(at(0)).toISOString()} stopped EIO\n`, { flag: 'a' });
  const history = () => readFileSync(join(folder, 'history'), 'utf8');

  test('everything is verified once before anything is served', async () => {
    await fill();
    stop();
    await (await opening()).close();
    expect(history()).toMatch(/ verified\n$/);
    await (await opening()).close();
    expect(history().match(/verified/g)).toHaveLength(1);
  });

  test('a database with a damaged record stays closed', async () => {
    await fill();
    const record = (await recordsIn(folder)).find(({ key }) => key.equals(grantKey(grant().id)))!;
    await tamper(folder, flipped(record, 100));
    await (await opening()).close(); // by itself it is found at use and in the background
    stop();
    await expect(opening()).rejects.toThrow(
      /storage failed earlier and the database is damaged: .*does not match its MAC/,
    );
    await expect(opening()).rejects.toThrow(DamagedError);
    expect(history()).not.toMatch(/verified/);
  });
});

describe('another process', () => {
  test('is refused while one has the folder, and takes it over from one that was killed', async () => {
    const holder = run('store-holder.ts', [folder]);
    try {
      expect(await holder.line('')).toBe('open at 0');
      await expect(opening()).rejects.toThrow(`is in use by process ${holder.child.pid}; stop it first`);
      await expect(opening()).rejects.toThrow('is in use'); // and the refused one has left no trace
    } finally {
      await holder.kill();
    }
    const store = await opening();
    await recorded(store, 1, { action: 'lock.created', lock: lock() });
    await store.close();
  }, 20_000);
});

test('a folder that was moved away while it was closed is a new one where it was', async () => {
  await fill();
  renameSync(folder, `${folder}-moved`);
  folders.push(`${folder}-moved`);
  mkdirSync(folder);
  chmodSync(folder, 0o700);
  const store = await openLmdbStore({
    folder,
    macKey,
    now: () => at(0),
    onFailStop: () => undefined,
    allowVolatile: true,
  });
  expect(store.read((s) => s.sequence)).toBe(0);
  await store.close();
});
