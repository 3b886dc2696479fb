import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { openTestStore, removeFolder, temporaryDiskFolder } from '../store-folder.js';
import { run } from '../store-processes.js';
import { Witness } from './witness.js';

const CYCLES = Number(process.env['KILL_CYCLES'] ?? 300);
/** Killed so often before a folder is left for a fresh one: that being made is killed, too. */
const PER_FOLDER = 25;
const LANES = 2;

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

const totals = { cycles: 0, beforeOpen: 0, acknowledged: 0, entries: 0, decisions: 0 };

/** Starts a process that changes the store without pause, and kills it at a random moment. */
async function cycle(folder: string, witness: Witness): Promise<void> {
  const mutator = run('crash/mutator.ts', [folder]);
  // One in five is killed somewhere on its way up, the others while they write.
  if (randomInt(5) === 0) await Promise.race([sleep(randomInt(900)), mutator.ended]);
  else {
    await mutator.line('open');
    await sleep(randomInt(120));
  }
  await mutator.kill();
  const store = await openTestStore(folder);
  try {
    await witness.examine(store, mutator.lines);
    totals.entries = Math.max(
      totals.entries,
      store.read((s) => s.sequence),
    );
  } finally {
    await store.close();
  }
  totals.cycles += 1;
  if (mutator.lines.length === 0) totals.beforeOpen += 1;
}

async function lane(cycles: number): Promise<void> {
  let witness = new Witness();
  let folder = '';
  for (let n = 0; n < cycles; n++) {
    if (n % PER_FOLDER === 0) {
      folder = temporaryDiskFolder();
      folders.push(folder);
      witness = new Witness();
    }
    const before = witness.acknowledged;
    await cycle(folder, witness);
    totals.acknowledged += witness.acknowledged - before;
    totals.decisions = Math.max(totals.decisions, witness.decisions);
    if (n % PER_FOLDER === PER_FOLDER - 1) {
      const store = await openTestStore(folder);
      expect((await store.verifyAll()).damaged).toEqual([]);
      await store.close();
    }
  }
}

test(`${CYCLES} kills at random moments lose nothing that was acknowledged and leave nothing half done`, async () => {
  await Promise.all(Array.from({ length: LANES }, (_, n) => lane(Math.floor((CYCLES + n) / LANES))));
  console.log(
    `${totals.cycles} kills (${totals.beforeOpen} before the store was open), ${totals.acknowledged} acknowledged ` +
      `changes, none lost; at most ${totals.entries} entries and ${totals.decisions} decisions in one folder`,
  );
  expect(totals.acknowledged).toBeGreaterThan(CYCLES); // else the load was none
}, 1_800_000);
