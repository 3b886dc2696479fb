import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';

/** A process that is measured. */
export interface Child {
  readonly pid: number;
  /** Throws when it has ended, with the end of what it wrote. */
  assertRunning(): void;
  /** What it has written so far, to either stream. */
  written(): string;
  /** Asks it to end, and makes it when it does not. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface ChildStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Where both of its streams go. */
  readonly logFile: string;
  /** The one processor it may use; null: any. */
  readonly core: number | null;
  /** Variables besides what there are. */
  readonly env?: Readonly<Record<string, string>>;
}

const STOP_MS = 10_000;

/** Starts a process as in production. It does not outlive this one. */
export function startChild({ command, args, cwd, logFile, core, env = {} }: ChildStart): Child {
  const [program, ...rest] = core === null ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const log = openSync(logFile, 'a');
  const { size: earlier } = fstatSync(log);
  const child = spawn(program, rest, {
    cwd,
    stdio: ['ignore', log, log],
    env: { ...ownVariables(), NODE_ENV: 'production', ...env },
  });
  closeSync(log);
  const written = () => readFileSync(logFile).subarray(earlier).toString();
  const stopHard = () => child.kill('SIGKILL');
  process.once('exit', stopHard);
  child.once('exit', () => process.removeListener('exit', stopHard));
  child.once('error', () => undefined); // `pid` is undefined then, which is told below
  if (child.pid === undefined) throw new Error(`${program} cannot be started; is it installed?`);
  return {
    pid: child.pid,
    written,
    assertRunning() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${command} ended with ${child.exitCode ?? child.signalCode}:\n${written().slice(-2_000)}`);
    },
    stop: () => ended(child, 'SIGTERM'),
    kill: () => ended(child, 'SIGKILL'),
  };
}

/** Keeps this process, which makes the load, off the processor of the one that is measured. */
export function pinThisProcess(core: number): void {
  pin(process.pid, core);
}

/** Gives a process one processor, or a list as taskset(1) has it, and all threads and children that it has from then on. */
export function pin(pid: number, core: number | string): void {
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' });
  if (status !== 0) throw new Error('taskset does not work here; install util-linux, or measure on another machine');
}

/** What is measured and what makes the load go before everything else, until this process ends. */
export function goAhead(): void {
  try {
    setPriority(FIRST);
    if (!existsSync(GROUP)) return;
    writeFileSync(GROUP, String(FIRST));
    process.once('exit', () => writeFileSync(GROUP, '0'));
  } catch (cause) {
    throw new Error('only root may go before everything else; leave --ahead away', { cause });
  }
}

/** As nice(1) has it; children inherit it. */
const FIRST = -20;

/** Where the kernel groups processes by session, niceness counts within the session only, and this counts between them. */
const GROUP = '/proc/self/autogroup';

/** Not those that would configure a service by chance. */
function ownVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PORTCULLIS_')));
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill(signal);
  await gone;
  clearTimeout(timer);
}

/** Asks every few milliseconds until the answer is yes. */
export async function until(ask: () => boolean | Promise<boolean>, what: string, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`${what} did not come within ${patienceMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
