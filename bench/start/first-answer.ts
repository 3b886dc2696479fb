import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { SERVER_CORE } from '../child/cores.js';
import { startChild, until, type Child } from '../child/process.js';
import { serviceCommand } from '../child/service.js';
import { checksOn, framedCheck } from '../load/checks.js';
import { ROOT } from '../scene/cache.js';
import type { Home } from '../scene/home.js';

/** `warm`: after an orderly end. `killed`: after SIGKILL. `cold`: after that with nothing in the file cache. */
export type Beginning = 'warm' | 'killed' | 'cold';

/** How long one start took, in milliseconds. */
export interface Start {
  /** From just before the process is made to the first answered check. */
  readonly total: number;
  /** How it is made up; of another start than `total`, because looking costs a little. */
  readonly steps: Readonly<Record<Step, number>>;
}

export const STEPS = ['process', 'node', 'program', 'service', 'policies', 'store', 'listen', 'answer'] as const;
export type Step = (typeof STEPS)[number];

/** What the steps are, as far as they can be told from outside. */
export const MEANING: Readonly<Record<Step, string>> = {
  process: 'until the process runs',
  node: 'Node itself',
  program: 'imports of the command line',
  service: 'configuration, imports of the service',
  policies: 'policies and trust read',
  store: 'store opened',
  listen: 'socket opened',
  answer: 'connection, first check',
};

interface Options {
  readonly kind: Beginning;
  readonly checkout: string;
}

/** Starts the service twice, once as it is and once with marks, and ends it both times. */
export async function firstAnswer(home: Home, options: Options): Promise<Start> {
  const { total } = await timed(home, options, []);
  const marksFile = home.file('log/marks.json');
  rmSync(marksFile, { force: true });
  process.env['BENCH_MARKS'] = marksFile;
  const seen = await timed(home, options, ['--import', join(ROOT, 'bench/start/marks.mjs')]);
  return { total, steps: stepsOf(seen, JSON.parse(readFileSync(marksFile, 'utf8')) as Marks) };
}

interface Timed {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly total: number;
}

async function timed(home: Home, { kind, checkout }: Options, nodeArgs: readonly string[]): Promise<Timed> {
  if (kind === 'cold') dropCaches();
  const from = performance.now();
  const child = startChild({
    ...serviceCommand(home, { nodeArgs, ...(checkout && { checkout }) }),
    cwd: home.folder,
    logFile: home.file('log/start.log'),
    core: SERVER_CORE,
  });
  try {
    await answered(home, child);
    const total = performance.now() - from;
    // An end before everything has been started would be another case.
    await until(
      () => {
        child.assertRunning();
        return child.written().includes('answers: ');
      },
      'the rest of the service',
      PATIENCE_MS,
    );
    return { from: performance.timeOrigin + from, total };
  } finally {
    await (kind === 'warm' ? child.stop() : child.kill());
  }
}

const PATIENCE_MS = 60_000;

/** Asks until there is somebody who answers. A first answer other than an allow would be none. */
async function answered(home: Home, child: Child): Promise<void> {
  const socket = await connected(home.file('run/authz.sock'), child);
  const verdict = await new Promise((resolve, reject) => {
    const connection = checksOn(socket, reject);
    connection.ask(framedCheck(home.check(0)), (answer) => {
      connection.close();
      resolve(answer);
    });
  });
  if (verdict !== 'allow') throw new Error(`the first check was answered with ${String(verdict)}`);
}

/** As tightly as a connection that is refused allows. */
async function connected(path: string, child: Child): Promise<Socket> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    child.assertRunning();
    const socket = existsSync(path) ? await tried(path) : null;
    if (socket) return socket;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nobody answered within ${PATIENCE_MS} ms:\n${child.written()}`);
}

function tried(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

function dropCaches(): void {
  spawnSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

/** Milliseconds since the process began, as marks.mjs notes them. */
type Marks = Readonly<
  Record<'node' | 'began' | 'config' | 'policies' | 'store' | 'listen' | 'listening' | 'origin', number>
>;

/** `began` to `node` is the noting itself, and counts as none of the steps. */
function stepsOf({ from, total }: Timed, marks: Marks): Start['steps'] {
  const process = marks.origin - from;
  return {
    process,
    node: marks.node,
    program: marks.config - marks.began,
    service: marks.policies - marks.config,
    policies: marks.store - marks.policies,
    store: marks.listen - marks.store,
    listen: marks.listening - marks.listen,
    answer: total - process - marks.listening,
  };
}
