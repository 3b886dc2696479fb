import { goAhead, pinThisProcess } from './child/process.js';
import { LOAD_CORE } from './child/cores.js';
import { machineLine } from './figures/machine.js';
import { AHEAD, CHECKOUT, GRANTS, readOptions, type Told } from './options.js';
import { makeHome, type Home } from './scene/home.js';
import { firstAnswer, type Beginning, type Start } from './start/first-answer.js';
import { memoryUnderLoad, type Memory } from './start/memory.js';
import { printReport } from './start/report.js';

const ABOUT = `From the start of the process to its first answered check, with a store that has grants in it; and how much
memory it then has under load. Cold starts, with nothing of the program and its data in the file cache, need root.`;

async function main(): Promise<void> {
  const told = readOptions(ABOUT, {
    grants: GRANTS,
    runs: { default: '10', help: 'starts of each kind' },
    checks: { default: '10000', help: 'checks before memory is looked at' },
    seconds: { default: '60', help: 'load after them, before memory is looked at again' },
    users: { default: '2000', help: 'certificates in that load' },
    warm: { default: false, help: 'no cold starts: they cost everything on this machine its file cache' },
    ahead: AHEAD,
    checkout: CHECKOUT,
  });
  if (told === null) return;
  if (told.flag('ahead')) goAhead();
  pinThisProcess(LOAD_CORE);
  const home = await makeHome({ grants: told.number('grants'), now: Date.now() as never });
  try {
    const machine = machineLine([`${told.number('grants')} grants`, ...(told.flag('ahead') ? ['nice -20'] : [])]);
    const starts = await allStarts(told, home);
    const memory = await measuredMemory(told, home);
    console.log(machine);
    printReport(starts, memory);
  } finally {
    home.remove();
  }
}

/** In turns, so that whatever else the machine does hits all kinds. */
async function allStarts(told: Told, home: Home): Promise<ReadonlyMap<Beginning, readonly Start[]>> {
  const kinds: readonly Beginning[] =
    process.getuid?.() === 0 && !told.flag('warm') ? ['warm', 'killed', 'cold'] : ['warm', 'killed'];
  const starts = new Map<Beginning, Start[]>(kinds.map((kind) => [kind, []]));
  // The first one of all makes what every later one finds: the cache of what was opened, a store that was in use.
  for (let run = 0; run <= told.number('runs'); run++) {
    for (const kind of kinds) {
      console.error(`start ${run}, ${kind} …`);
      const start = await firstAnswer(home, { kind, checkout: told.text('checkout') });
      if (run > 0) starts.get(kind)!.push(start);
    }
  }
  return starts;
}

async function measuredMemory(told: Told, home: Home): Promise<readonly Memory[]> {
  console.error('memory …');
  const checkout = told.text('checkout');
  const [grants, users, checks, seconds] = (['grants', 'users', 'checks', 'seconds'] as const).map(told.number);
  return memoryUnderLoad(home, { checkout, grants: grants!, users: users!, checks: checks!, seconds: seconds! });
}

await main();
