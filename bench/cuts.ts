import { goAhead } from './child/process.js';
import { bytesPerCpu } from './cuts/bytes.js';
import { contactLost } from './cuts/contact.js';
import { expiries } from './cuts/expiry.js';
import { printFigures, type Figure } from './cuts/figure.js';
import { revokeAmongMany } from './cuts/many.js';
import { neighbours } from './cuts/neighbours.js';
import { revokeOfOne } from './cuts/one.js';
import { guardPerRequest } from './cuts/request-cpu.js';
import { crowd, revokeOfStalled } from './cuts/stalled.js';
import { findEnvoyHere } from './e2e/find.js';
import { machineLine } from './figures/machine.js';
import { AHEAD, readOptions, type Told } from './options.js';

const ABOUT = `How soon sessions end with their access, in a real Envoy with generated configuration, and what the session guard
costs. Each figure stands beside what it must be; the exit code is 1 when one is not met.`;

async function main(): Promise<void> {
  const told = readOptions(ABOUT, {
    only: { default: '', value: 'NAMES', help: `some of ${Object.keys(PARTS).join(', ')}` },
    rounds: { default: '301', help: 'revokes for each protocol' },
    sessions: { default: '10000', help: 'live sessions of which one is revoked' },
    among: { default: '150', help: 'revokes among them' },
    waves: { default: '4', help: 'times that 30 grants expire, of each kind' },
    turns: { default: '7', help: 'turns with and without, of what is compared' },
    seconds: { default: '4', help: 'length of a turn' },
    ahead: AHEAD,
  });
  if (told === null) return;
  const wanted = told.text('only') === '' ? Object.keys(PARTS) : told.text('only').split(',');
  const unknown = wanted.filter((name) => !(name in PARTS));
  if (unknown.length > 0) throw new Error(`--only knows ${Object.keys(PARTS).join(', ')}, not ${unknown.join(', ')}`);
  if (told.flag('ahead')) goAhead();
  const { command, version } = await findEnvoyHere();
  const machine = machineLine([`Envoy ${version}`, ...(told.flag('ahead') ? ['nice -20'] : [])]);
  const figures: Figure[] = [];
  for (const name of wanted) {
    try {
      figures.push(...(await PARTS[name]!(command, told)));
    } catch (error) {
      // What was measured before, and what comes after it, is not lost with it.
      console.error(`${name} was not measured:`, error);
      process.exitCode = 1;
    }
  }
  console.log(machine);
  if (printFigures(figures) > 0) process.exitCode = 1;
}

const PARTS: Readonly<Record<string, (command: string, told: Told) => Promise<readonly Figure[]>>> = {
  one: (command, told) => revokeOfOne(command, told.number('rounds')),
  many: (command, told) =>
    revokeAmongMany(command, { sessions: told.number('sessions'), rounds: told.number('among'), locks: 5 }),
  expiry: (command, told) => expiries(command, told.number('waves')),
  contact: (command, told) => contactLost(command, Math.min(200, told.number('sessions'))),
  stalled: (command, told) => revokeOfStalled(command, Math.min(200, told.number('rounds'))),
  crowd: (command) => crowd(command, { stalled: 300, refused: 2_000 }),
  neighbours: (command, told) => neighbours(command, Math.min(100, told.number('rounds'))),
  request: (command, told) =>
    guardPerRequest(command, { rounds: told.number('turns'), seconds: told.number('seconds') }),
  bytes: (command, told) => bytesPerCpu(command, { rounds: told.number('turns'), seconds: told.number('seconds') }),
};

await main();
