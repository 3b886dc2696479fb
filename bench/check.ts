import { writeFileSync } from 'node:fs';
import { LOAD_CORE, SERVER_CORE } from './child/cores.js';
import { startNoOp } from './child/no-op.js';
import { pinThisProcess } from './child/process.js';
import { startService, type ServiceChild } from './child/service.js';
import { measure, type Sample, type Server } from './check/measure.js';
import { printReport, type Case } from './check/report.js';
import { machineLine } from './figures/machine.js';
import { askOnce, framedCheck, openChecks } from './load/checks.js';
import type { Verdict } from './load/check-answer.js';
import { closedLoad } from './load/closed.js';
import { h2load, type Loaded } from './load/h2load.js';
import { CHECKOUT, GRANTS, readOptions, type Told } from './options.js';
import { makeHome, type Home } from './scene/home.js';
import { resourceOf, RESOURCES, usersOf } from './scene/names.js';

const ABOUT = `What a check costs: the service beside a no-op server on the same gRPC library, in turns, both on one
processor. "ratio" is our processor time per check divided by that of the no-op server.`;

/** As Envoy with four worker threads: a connection each. */
const CONNECTIONS = 4;
const STREAMS = 8;

/** Enough that a paced load is sent when it is due, however long answers take. */
const PACED_STREAMS = 100;

/** What the service promises to answer a second, for latency without a queue. */
const PACED = 2_000;

async function main(): Promise<void> {
  const told = readOptions(ABOUT, {
    grants: GRANTS,
    rounds: { default: '5', help: 'turns of each server in each case' },
    seconds: { default: '3', help: 'length of a turn' },
    users: { default: '2000', help: 'certificates in the case "many"' },
    only: { default: '', value: 'WORD', help: 'only the cases whose name holds this' },
    checkout: CHECKOUT,
  });
  if (told === null) return;
  pinThisProcess(LOAD_CORE);
  const home = await makeHome({ grants: told.number('grants'), now: Date.now() as never });
  try {
    const cases = [...(await measured(told, home, 'grouped')), ...(await measured(told, home, 'strict'))];
    printReport(cases, machineLine([`${told.number('grants')} grants`]));
  } finally {
    home.remove();
  }
}

interface Wanted {
  readonly name: string;
  readonly log: 'grouped' | 'strict';
  readonly verdict: Exclude<Verdict, 'failed'>;
  /** A check as it stands for the case. */
  readonly message: Buffer;
  readonly load: (socket: string) => Promise<Loaded>;
}

/** All cases that want the decision log like this, with one start of the service. */
async function measured(told: Told, home: Home, log: Wanted['log']): Promise<readonly Case[]> {
  const wanted = casesOf(told, home).filter((one) => one.log === log && one.name.includes(told.text('only')));
  if (wanted.length === 0) return [];
  const checkout = told.text('checkout');
  const options = { core: SERVER_CORE, ...(checkout && { checkout }), args: ['--decisions-log', log] };
  const service = await startService(home, options);
  const noOp = await startNoOp(home, SERVER_CORE);
  try {
    console.error('waiting until the service has looked at every record …');
    await service.verified();
    const cases: Case[] = [];
    for (const one of wanted) cases.push(await inTurns(told, one, { service, 'no-op': noOp }));
    return cases;
  } finally {
    await Promise.all([service.stop(), noOp.stop()]);
  }
}

/** A B A B …, so that whatever else the machine does hits both. The first turn of each is for warming up. */
async function inTurns(told: Told, wanted: Wanted, servers: { service: ServiceChild; 'no-op': Server }): Promise<Case> {
  console.error(`${wanted.name} …`);
  const verdict = await askOnce(servers.service.socket, wanted.message);
  if (verdict !== wanted.verdict) throw new Error(`${wanted.name}: expected ${wanted.verdict}, got ${verdict}`);
  const samples: Record<keyof typeof servers, Sample[]> = { service: [], 'no-op': [] };
  for (let round = 0; round <= told.number('rounds'); round++) {
    for (const name of ['service', 'no-op'] as const) {
      const before = await servers.service.answered();
      const sample = await measure(servers[name], wanted.load);
      const after = await servers.service.answered();
      if (name === 'service' && round > 0) assertAnswered(wanted, sample, { before, after });
      if (round > 0) samples[name].push(sample);
    }
  }
  return { name: wanted.name, samples };
}

type Answered = Awaited<ReturnType<ServiceChild['answered']>>;

/** What may be answered otherwise: on a busy machine some checks take longer than they may, and are denied. */
const STRAY = 0.1;

/** An answer other than the expected one is another path, and another figure. */
function assertAnswered(
  { name, verdict }: Wanted,
  { loaded }: Sample,
  { before, after }: { readonly before: Answered; readonly after: Answered },
): void {
  const other = verdict === 'allow' ? 'deny' : 'allow';
  const right = after[verdict] - before[verdict];
  const wrong = after[other] - before[other];
  const said = `${name}: of ${loaded.done} answers ${wrong} were not ${verdict}, ${loaded.failed} failed`;
  if (wrong + loaded.failed > STRAY * loaded.done || right + wrong < loaded.done) throw new Error(said);
  if (wrong + loaded.failed > 0) console.error(said);
}

function casesOf(told: Told, home: Home): readonly Wanted[] {
  const seconds = told.number('seconds');
  const users = Math.min(told.number('users'), usersOf(told.number('grants')));
  const nobody = usersOf(told.number('grants')) + 1;
  const warm = home.check(0);
  const few = home.check(0, { headers: 'as generated' });
  const again = (message: Buffer, rate: number | null = null) => ({
    message,
    load: sameCheck(home, message, seconds, rate),
  });
  return [
    { name: 'one warm certificate', log: 'grouped', verdict: 'allow', ...again(warm) },
    { name: '... two headers, as our Envoy sends', log: 'grouped', verdict: 'allow', ...again(few) },
    {
      name: `${users} certificates`,
      log: 'grouped',
      verdict: 'allow',
      message: warm,
      load: manyChecks(home, users, seconds),
    },
    { name: 'denied: no grant', log: 'grouped', verdict: 'deny', ...again(home.check(nobody)) },
    { name: `warm, ${PACED} checks/s`, log: 'grouped', verdict: 'allow', ...again(warm, PACED) },
    { name: 'warm, strict log', log: 'strict', verdict: 'allow', ...again(warm) },
    { name: `warm, strict log, ${PACED} checks/s`, log: 'strict', verdict: 'allow', ...again(warm, PACED) },
  ];
}

function sameCheck(home: Home, message: Buffer, seconds: number, rate: number | null): Wanted['load'] {
  const bodyFile = home.file('check.body');
  return (socket) => {
    writeFileSync(bodyFile, framedCheck(message));
    return h2load({
      socket,
      bodyFile,
      seconds,
      connections: CONNECTIONS,
      streams: rate === null ? STREAMS : PACED_STREAMS,
      rate,
      core: LOAD_CORE,
    });
  };
}

/** Each certificate for another resource than the one before. h2load sends one body only, so this load is our own. */
function manyChecks(home: Home, users: number, seconds: number): Wanted['load'] {
  const checks = Array.from({ length: users }, (_, user) =>
    framedCheck(home.check(user, { resource: resourceOf(user * RESOURCES + (user % RESOURCES)) })),
  );
  return async (socket) => {
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openChecks(socket)));
    try {
      return await closedLoad({ connections, streams: STREAMS, checks, seconds });
    } finally {
      for (const connection of connections) connection.close();
    }
  };
}

await main();
