import { afterAll, expect, test } from 'vitest';
import { removeFolder, temporaryDiskFolder } from '../store-folder.js';
import { run, type Running } from '../store-processes.js';

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

const AT_ONCE = 5;

/** What each process says once it is through: that it has the folder, or that it was refused. */
const saying = (holder: Running) => holder.line('');

test('of processes that come at the same time never two get the folder', async () => {
  const folder = temporaryDiskFolder();
  folders.push(folder);
  let opened = 0;
  for (let round = 0; round < 8; round++) {
    const holders = Array.from({ length: AT_ONCE }, () => run('store-holder.ts', [folder]));
    const said = await Promise.all(holders.map(saying));
    const winners = said.filter((line) => line.startsWith('open at 0'));
    const refused = said.filter((line) => /^refused: .* in use by process/.test(line));
    expect(winners.length).toBeLessThanOrEqual(1);
    expect(winners.length + refused.length).toBe(AT_ONCE);
    opened += winners.length;
    await Promise.all(holders.map((holder) => holder.kill()));
  }
  expect(opened).toBeGreaterThan(0); // both may give way, but not always
}, 120_000);

test('a folder whose holder was killed is free at once', async () => {
  const folder = temporaryDiskFolder();
  folders.push(folder);
  for (let round = 0; round < 5; round++) {
    const holder = run('store-holder.ts', [folder]);
    expect(await saying(holder)).toBe('open at 0');
    await holder.kill();
  }
}, 120_000);
