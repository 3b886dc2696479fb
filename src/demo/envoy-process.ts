import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { FoundEnvoy } from './find-envoy.js';
import { watchOver } from './watchdog.js';

/** An Envoy that runs for as long as the demo. */
export interface EnvoyProcess {
  /** Resolves when it has ended, by whatever cause. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface EnvoyStart {
  readonly found: Exclude<FoundEnvoy, { kind: 'none' }>;
  /** The bootstrap; relative paths in it begin in `folder`. */
  readonly bootstrap: string;
  readonly folder: string;
  readonly logFile: string;
  readonly adminPort: number;
}

const START_MS = 20_000;
const STOP_MS = 5_000;

/**
 * Starts Envoy and waits until it is live.
 *
 * @throws {Error} with the end of its log, when it does not come up
 */
export async function startEnvoy(start: EnvoyStart): Promise<EnvoyProcess> {
  const log = openSync(start.logFile, 'a');
  const [command, ...args] = commandLine(start);
  const child = spawn(command, args, { cwd: start.folder, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let running = true;
  void ended.then(() => (running = false));
  const stop = async () => {
    if (!running) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  };
  // Whatever becomes of this process, Envoy does not outlive it.
  const stopHard = () => child.kill('SIGKILL');
  process.once('exit', stopHard);
  const watchdog = child.pid === undefined ? null : watchOver(child.pid);
  void ended.then(() => process.removeListener('exit', stopHard));
  void ended.then(() => watchdog?.dismiss());

  const end = performance.now() + START_MS;
  while (!(await isLive(start.adminPort))) {
    if (!running || performance.now() > end) {
      await stop();
      throw new Error(`Envoy did not start; its log ends with:\n${readFileSync(start.logFile, 'utf8').slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { ended, stop };
}

// Several run on one machine, and the access log is there when somebody looks.
const OPTIONS = ['--disable-hot-restart', '--concurrency', '1', '--file-flush-interval-msec', '200', '-l', 'warning'];

function commandLine({ found, bootstrap, folder }: EnvoyStart): readonly [string, ...string[]] {
  const envoy = ['-c', bootstrap, ...OPTIONS];
  if (found.kind === 'binary') return [found.command, ...envoy];
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const container = [
    'run',
    '--rm',
    '--init',
    '--network',
    'host',
    '--user',
    `${uid}:${gid}`,
    '-v',
    `${folder}:${folder}`,
    '-w',
    folder,
  ];
  return [found.command, ...container, found.image, ...envoy];
}

function isLive(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/ready', timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
