import { goAhead, pinThisProcess } from './child/process.js';
import { LOAD_CORE, SERVER_CORE } from './child/cores.js';
import { startService } from './child/service.js';
import { waitedOf } from './figures/cpu.js';
import { machineLine } from './figures/machine.js';
import { framedCheck, openChecks, type CheckConnection } from './load/checks.js';
import { startPaced, type Paced } from './load/paced.js';
import { AHEAD, CHECKOUT, GRANTS, readOptions, type Told } from './options.js';
import { openRevoker, type Revoker } from './revoke/call.js';
import { raceAgainst, type Round } from './revoke/race.js';
import { printReport, type Figures } from './revoke/report.js';
import { makeHome, type Home } from './scene/home.js';
import { resourceOf, RESOURCES, usersOf } from './scene/names.js';

const ABOUT = `Revokes over the admin socket. First one after the other beside a steady load of checks: how long the call
takes. Then a race: each grant is revoked while checks for it are in flight on several connections, and every check that is
sent after the answer to the revoke must be denied. SIGINT ends the race, with a report on what was run.`;

/** As Envoy with four worker threads: a connection each. */
const CONNECTIONS = 4;

/** Until the code that a check runs is compiled. */
const WARM_UP_MS = 5_000;

/** Between two revokes that are timed: the first must not help or hinder the next. */
const PAUSE_MS = 20;

const PROGRESS_MS = 60_000;

async function main(): Promise<void> {
  const told = readOptions(ABOUT, {
    grants: GRANTS,
    calls: { default: '1000', help: 'revokes that are timed' },
    rate: { default: '2000', help: 'checks a second beside them' },
    rounds: { default: '100000', help: 'races' },
    races: { default: '2', help: 'races at the same time' },
    streams: { default: '2', help: 'checks in flight on each of four connections, in each race' },
    'too-early': {
      default: false,
      help: 'take a revoke as acknowledged when it is sent: there must be violations then',
    },
    ahead: AHEAD,
    checkout: CHECKOUT,
  });
  if (told === null) return;
  const needed = told.number('rounds') + told.number('calls') + RESOURCES;
  if (told.number('grants') < needed) throw new Error(`so many rounds and calls need --grants ${needed} or more`);
  if (told.flag('ahead')) goAhead();
  pinThisProcess(LOAD_CORE);
  const home = await makeHome({ grants: told.number('grants'), now: Date.now() as never });
  try {
    const before = machineLine([`${told.number('grants')} grants`, ...(told.flag('ahead') ? ['nice -20'] : [])]);
    const figures = await measured(told, home);
    console.log(before);
    if (printReport(figures) > 0) process.exitCode = 1;
  } finally {
    home.remove();
  }
}

async function measured(told: Told, home: Home): Promise<Figures> {
  const checkout = told.text('checkout');
  const service = await startService(home, { core: SERVER_CORE, ...(checkout && { checkout }) });
  const revoker = openRevoker(home.file('run/admin.sock'));
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openChecks(service.socket)));
  try {
    console.error('waiting until the service has looked at every record …');
    await service.verified();
    const waited = waitedOf(service.pid);
    const calls = await timedCalls(told, { home, revoker, connections });
    const afterCalls = waitedOf(service.pid);
    const rounds = await races(told, { home, revoker, connections });
    return {
      rate: told.number('rate'),
      calls,
      rounds,
      waited: { calls: afterCalls - waited, rounds: waitedOf(service.pid) - afterCalls },
    };
  } finally {
    revoker.close();
    for (const connection of connections) connection.close();
    await service.stop();
  }
}

interface Scene {
  readonly home: Home;
  readonly revoker: Revoker;
  readonly connections: readonly CheckConnection[];
}

async function timedCalls(told: Told, scene: Scene): Promise<Figures['calls']> {
  console.error(`${told.number('calls')} revokes, timed …`);
  const first = told.number('rounds');
  const milliseconds: number[] = [];
  const warming = startBackground(told, scene);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  await warming.stop();
  const background = startBackground(told, scene);
  for (let n = first; n < first + told.number('calls'); n++) {
    const from = performance.now();
    await scene.revoker.revoke(scene.home.grantId(n)).ended;
    milliseconds.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const checks = await background.stop();
  if (checks.failed > 0) throw new Error(`${checks.failed} checks for grants that nobody revoked were not allowed`);
  return { milliseconds, checks };
}

/** Checks of the last user, whose grants nobody revokes. */
function startBackground(told: Told, { home, connections }: Scene): Paced {
  const framed = framedCheck(home.check(usersOf(told.number('grants')) - 1));
  return startPaced(told.number('rate'), (n, answered) =>
    connections[n % connections.length]!.ask(framed, (verdict) => answered(verdict === 'allow')),
  );
}

async function races(told: Told, { home, revoker, connections }: Scene): Promise<readonly Round[]> {
  console.error(`${told.number('rounds')} races …`);
  const streams = told.number('streams');
  const rounds: Round[] = [];
  const progress = setInterval(() => console.error(`${rounds.length} so far`), PROGRESS_MS);
  let next = 0;
  const ending = new AbortController();
  const stop = () => ending.abort();
  process.once('SIGINT', stop);
  const inTurn = async () => {
    while (!ending.signal.aborted && next < told.number('rounds')) {
      const n = next++;
      const check = framedCheck(home.check(Math.floor(n / RESOURCES), { resource: resourceOf(n) }));
      const revoke = () => revoker.revoke(home.grantId(n));
      rounds.push(await raceAgainst({ revoke, check, connections, streams, isTooEarly: told.flag('too-early') }));
    }
  };
  try {
    await Promise.all(Array.from({ length: told.number('races') }, inTurn));
    return rounds;
  } finally {
    clearInterval(progress);
    process.removeListener('SIGINT', stop);
  }
}

await main();
