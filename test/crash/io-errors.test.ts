import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openTestStore, removeFolder, temporaryDiskFolder } from '../store-folder.js';
import { run } from '../store-processes.js';
import { Witness } from './witness.js';

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

/** Why strace cannot be used here; null when it can. */
const hindrance = (() => {
  try {
    execFileSync('strace', ['-f', '-e', 'trace=none', '-e', 'inject=fdatasync:error=EIO:when=9', 'true'], {
      stdio: 'ignore',
    });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
})();
if (hindrance !== null) console.log(`skipped, strace cannot be used: ${hindrance}`);

/** strace counts calls per thread: with one thread for lmdb's commits, the n-th call is the n-th call. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

function freshFolder(): string {
  const folder = temporaryDiskFolder();
  folders.push(folder);
  return folder;
}

/** Runs a mutator one of whose system calls fails, and holds what it left behind against what it was told. */
async function mutatorWithFault(
  fault: string,
): Promise<{ lines: readonly string[]; code: number | null; history: string }> {
  const folder = freshFolder();
  await (await openTestStore(folder)).close();
  const through = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=fdatasync,pwrite64,writev', '-e', `inject=${fault}`];
  const mutator = run('crash/mutator.ts', [folder, '400'], { through, env: ONE_THREAD });
  const { code } = await mutator.ended;
  const history = readFileSync(join(folder, 'history'), 'utf8');
  const store = await openTestStore(folder);
  await new Witness().examine(store, mutator.lines);
  expect((await store.verifyAll()).damaged).toEqual([]);
  await store.close();
  return {
    lines: mutator.lines,
    code,
    history: history + readFileSync(join(folder, 'history'), 'utf8').slice(history.length),
  };
}

describe.skipIf(hindrance !== null)('a system call that fails once', () => {
  test.each([6, 9, 14, 23, 40])(
    'fdatasync number %i: the store stops, and loses nothing it acknowledged',
    async (n) => {
      const { lines, code, history } = await mutatorWithFault(`fdatasync:error=EIO:when=${n}`);
      expect(lines.at(-1)).toMatch(/^stopped Input\/output error/);
      expect(code).toBe(70);
      // The stop was written down, and the start after it has looked at every record.
      expect(history).toMatch(/ stopped Input\/output error[^\n]*\n[^\n]* verified\n$/);
    },
  );

  test.each([7, 8, 12, 13, 20, 21, 30, 31])(
    'pwrite64 number %i, of a page or of the page that names the commit: the same',
    async (n) => {
      const { lines, code } = await mutatorWithFault(`pwrite64:error=EIO:when=${n}`);
      expect(lines.at(-1)).toMatch(/^stopped /);
      expect(code).toBe(70);
    },
  );

  test.each([3, 10, 20])('writev number %i: the same', async (n) => {
    const { lines, code } = await mutatorWithFault(`writev:error=EIO:when=${n}`);
    expect(lines.at(-1)).toMatch(/^stopped /);
    expect(code).toBe(70);
  });

  test.each([
    ['pwrite64', 7],
    ['pwrite64', 8],
    ['pwrite64', 12],
    ['pwrite64', 21],
    ['writev', 10],
    ['fdatasync', 9],
  ])('%s number %i for lack of room: what is refused is not there, and the store goes on or stops', async (call, n) => {
    const { lines, code } = await mutatorWithFault(`${call}:error=ENOSPC:when=${n}`);
    if (code === 70) expect(lines.at(-1)).toMatch(/^stopped /);
    else expect(lines.filter((line) => line.startsWith('done')).length).toBeGreaterThan(100);
  });
});

test.skipIf(hindrance !== null)('each commit is synced to disk before it is acknowledged', async () => {
  const log = join(mkdtempSync(join(tmpdir(), 'portcullis-strace-')), 'log');
  const through = ['strace', '-f', '-tt', '-o', log, '-e', 'trace=fdatasync,write'];
  const commits = 60;
  const child = run('crash/committer.ts', [freshFolder(), String(commits)], { through, env: ONE_THREAD });
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(child.lines.filter((line) => line === 'committed')).toHaveLength(commits);
  // In the order of the trace: between one acknowledgement and the next there is a sync that succeeded.
  const events = readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line) =>
      /fdatasync.*= 0$/.test(line) ? ['sync'] : line.includes('"committed\\n"') ? ['committed'] : [],
    );
  const firstAcknowledged = events.indexOf('committed');
  for (const [index, event] of events.entries()) {
    if (event === 'committed' && index > firstAcknowledged) expect(events[index - 1]).toBe('sync');
  }
  expect(events.slice(firstAcknowledged).filter((event) => event === 'sync').length).toBeGreaterThanOrEqual(
    commits - 1,
  );
  removeFolder(join(log, '..'));
});
