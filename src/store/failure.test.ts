import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AccessError } from '../domain/errors.js';
import { at, grant, lock, lockId } from '../../test/builders.js';
import { openTestStore, removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { run, type Running } from '../../test/store-processes.js';
import { decision, recorded } from '../../test/store-scenes.js';
import { DATA_FILE } from './data-file.js';
import { DiskGuard } from './disk-guard.js';
import { statfs } from './folder.js';
import type { LmdbStore } from './lmdb.js';

const folders: string[] = [];
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  folders.push(folder);
});
afterAll(() => folders.forEach(removeFolder));

const makeLock = (store: LmdbStore, n = 1) =>
  recorded(store, n, { action: 'lock.created', lock: lock({ id: lockId(n) }) });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof AccessError ? error.code : error),
  );

/** After a fail-stop nothing is answered any more, by any method. */
async function expectStopped(store: LmdbStore): Promise<void> {
  const failed = expect.objectContaining({ code: 'storage_failed' }) as Error;
  expect(() => store.read((s) => s.sequence)).toThrow(failed);
  expect(() => store.highWaterMark()).toThrow(failed);
  expect(() => store.decisions({ limit: 1 })).toThrow(failed);
  expect(() => store.decision(decision(1).id)).toThrow(failed);
  for (const call of [
    makeLock(store),
    store.recordDecisions([decision(1)]),
    store.forgetAnswers(at(0)),
    store.verifyAll(),
  ]) {
    expect(await codeOf(call)).toBe('storage_failed');
  }
  await expect(store.dropDecisions(at(0))).rejects.toThrow(failed);
  await store.close(); // does not hang
}

describe('a commit that does not come back', () => {
  let other: Running | undefined;
  afterEach(() => other?.kill());

  test('stops the store for good: it and all that wait fail, and the next start will verify', async () => {
    const onFailStop = vi.fn<(cause: Error) => void>();
    const store = await openTestStore(folder, { commitDeadline: 200 as never, onFailStop });
    await makeLock(store);
    other = run('store-writer-lock.ts', [folder]);
    await other.line('locked');
    const outcomes = [makeLock(store, 2), store.recordDecisions([decision(1)]), makeLock(store, 3)].map(codeOf);
    expect(store.read((s) => s.locks())).toHaveLength(1); // reads go on beside a slow commit
    expect(await Promise.all(outcomes)).toEqual(['storage_failed', 'storage_failed', 'storage_failed']);
    await expectStopped(store);
    expect(onFailStop.mock.calls).toEqual([[new Error('a commit took longer than 200 ms')]]);
    expect(readFileSync(join(folder, 'history'), 'utf8')).toMatch(/ stopped a commit took longer than 200 ms\n$/);
  }, 20_000);
});

describe('a disk that does not answer', () => {
  const hours = Array.from({ length: 30 }, (_, hour) => decision(hour * 3_600_000, hour));
  let other: Running | undefined;
  afterEach(() => other?.kill());

  test('holds up no reading of decisions, of whatever hour', async () => {
    const store = await openTestStore(folder, { commitDeadline: 1_000 as never, onFailStop: () => undefined });
    await store.recordDecisions(hours);
    await store.close();
    const again = await openTestStore(folder, { commitDeadline: 1_000 as never, onFailStop: () => undefined });
    other = run('store-writer-lock.ts', [folder]);
    await other.line('locked');
    const waiting = codeOf(makeLock(again));
    await new Promise((resolve) => setTimeout(resolve, 50)); // the commit is under way
    const start = performance.now();
    expect(again.decisions({ limit: 30 }).items).toHaveLength(30);
    for (const one of hours) expect(again.decision(one.id)).toEqual(one);
    expect(performance.now() - start).toBeLessThan(500);
    expect(await waiting).toBe('storage_failed');
    await again.close();
  }, 20_000);

  test('takes neither the end of the store with it, nor the word of it', async () => {
    const told: number[] = [];
    const store = await openTestStore(folder, { onFailStop: () => told.push(performance.now()) });
    // Opening a pipe for writing waits until somebody reads from it: as a write does that hangs.
    const history = join(folder, 'history');
    rmSync(history);
    execFileSync('mkfifo', [history]);
    rmSync(join(folder, DATA_FILE));
    const start = performance.now();
    expect(await codeOf(makeLock(store))).toBe('storage_failed');
    await store.close();
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(told).toHaveLength(1);
    closeSync(openSync(history, constants.O_RDWR)); // lets go of the thread that waits
  });

  test('is told of before it is written down, and that is done when the store is closed', async () => {
    const events: string[] = [];
    const history = join(folder, 'history');
    const store = await openTestStore(folder, {
      onFailStop: () => events.push(readFileSync(history, 'utf8').includes('stopped') ? 'late' : 'first'),
    });
    rmSync(join(folder, DATA_FILE));
    await codeOf(makeLock(store));
    await store.close();
    expect(events).toEqual(['first']);
    expect(readFileSync(history, 'utf8')).toMatch(/ stopped ENOENT/);
  });
});

describe('a database file that is not the one that was opened', () => {
  test.each([
    ['removed', (file: string) => rmSync(file)],
    ['replaced', (file: string) => (copyFileSync(file, `${file}2`), renameSync(`${file}2`, file))],
  ])('(%s) stops the store at the next commit', async (_, lose) => {
    const causes: Error[] = [];
    const store = await openTestStore(folder, { onFailStop: (cause) => causes.push(cause) });
    await makeLock(store);
    lose(join(folder, DATA_FILE));
    expect(await codeOf(makeLock(store, 2))).toBe('storage_failed');
    await expectStopped(store);
    expect(causes).toHaveLength(1);
    expect(causes[0]!.message).toMatch(/ENOENT|has been replaced while it was open/);
  });
});

describe('little free space', () => {
  let free = 0;
  const measured = () => ({ type: 0, bavail: free, bsize: 1 });
  const minimumRoom = 1_000;

  test('refuses changes and decisions, changes nothing, and goes on when there is room', async () => {
    free = 1_000;
    const store = await openTestStore(folder, { statfs: measured, minimumRoom });
    await makeLock(store, 1);
    free = 999;
    const refused = [makeLock(store, 2), store.recordDecisions([decision(9)]), store.forgetAnswers(at(1))].map(codeOf);
    expect(await Promise.all(refused)).toEqual(['storage_full', 'storage_full', 'storage_full']);
    expect(store.read((s) => [s.sequence, s.locks().length])).toEqual([1, 1]);
    expect(store.highWaterMark()).toBe(at(1));
    free = 1_000;
    await makeLock(store, 2);
    expect(store.read((s) => [s.sequence, s.locks().length])).toEqual([2, 2]);
    await store.close();
  });

  test('keeps a store from opening, with words that say why', async () => {
    free = 1_000;
    await (await openTestStore(folder, { statfs: measured, minimumRoom })).close();
    free = 10;
    await expect(openTestStore(folder, { statfs: measured, minimumRoom })).rejects.toThrow('the disk is full');
  });
});

const canMount = (() => {
  const place = mkdtempSync(join(tmpdir(), 'portcullis-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
})();

describe.skipIf(!canMount)('a real disk that is full (needs the right to mount a tmpfs)', () => {
  let disk: string;
  let store: LmdbStore | undefined;
  const causes: Error[] = [];
  afterEach(async () => {
    await store?.close();
    execFileSync('umount', ['-l', disk]);
  });

  async function mounted(size: string, over: Parameters<typeof openTestStore>[1]): Promise<LmdbStore> {
    disk = mkdtempSync(join(tmpdir(), 'portcullis-disk-'));
    folders.push(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
    causes.length = 0;
    store = await openTestStore(join(disk, 'data'), { onFailStop: (cause) => causes.push(cause), ...over });
    return store;
  }

  const freeOf = (path: string) => statfsSync(path).bavail * statfsSync(path).bsize;
  const useUp = (leave: number) => writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, freeOf(disk) - leave)));

  test('refuses in time, and ending access still works with the reserve', async () => {
    const full = await mounted('24m', {});
    const guard = new DiskGuard({
      folder: join(disk, 'data'),
      statfs,
      thresholds: { noRequests: 0, endingsOnly: 0, nothing: 0 },
      reserveBytes: 8 * 2 ** 20,
    });
    await guard.replenish();
    await recorded(full, 1, { action: 'grant.created', grant: grant() });
    useUp(3 * 2 ** 20);
    expect(await codeOf(makeLock(full, 2))).toBe('storage_full');
    const end = { reason: 'revoked', at: at(3), by: 'bob', why: '' } as const;
    await guard.ending(() => recorded(full, 3, { action: 'grant.ended', grant: grant({ end }) }));
    expect(full.read((s) => [s.sequence, s.grant(grant().id)?.end])).toEqual([2, end]);
    expect(causes).toEqual([]);
  });

  test('met in the middle of a commit leaves everything as it was, or stops the store: never half a change', async () => {
    const full = await mounted('3m', { minimumRoom: 0 });
    useUp(100_000);
    let kept = 0;
    let outcome: unknown = 'done';
    while (outcome === 'done' && kept < 1_000) {
      outcome = await codeOf(makeLock(full, kept + 1));
      if (outcome === 'done') kept += 1;
    }
    expect(['storage_full', 'storage_failed']).toContain(outcome);
    if (outcome === 'storage_failed') {
      // A short write, which LMDB cannot tell from a broken disk. What was acknowledged is there at the next start.
      await expectStopped(full);
      expect(causes[0]!.message).toMatch(/Input\/output error/);
      return;
    }
    expect(full.read((s) => [s.sequence, s.locks().length, s.entries(1, 2_000).length])).toEqual([kept, kept, kept]);
    rmSync(join(disk, 'filler'));
    await makeLock(full, kept + 1);
    expect(full.read((s) => s.sequence)).toBe(kept + 1);
  });
});
