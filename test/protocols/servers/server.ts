import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../e2e/envoy.js';

/** A server of somebody else, started for a test on a port of its own. */
export interface RealServer {
  readonly port: number;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Some servers refuse to run as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

/** A folder for data, owned by whoever the server runs as. */
export function dataFolder(name: string, { asRoot = false } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), `portcullis-${name}-`));
  chmodSync(folder, 0o700);
  if (!asRoot && NOBODY) chownSync(folder, NOBODY.uid, NOBODY.gid);
  return folder;
}

/** Runs something to its end as the server's user. */
export function prepare(command: string, args: readonly string[], folder: string, input?: string): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, input, encoding: 'utf8', ...NOBODY, env });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}${stderr}`);
}

const env = { PATH: `${process.env['PATH']!}:/usr/sbin:/sbin`, LC_ALL: 'C' };

interface Starting {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly port: number;
  readonly asRoot?: boolean;
  /** How it is told to end, its connections with it. */
  readonly ending: NodeJS.Signals;
}

/**
 * Starts a server and waits until its port answers.
 *
 * @throws {Error} with the end of its log
 */
export async function startServer({
  command,
  args,
  folder,
  port,
  asRoot = false,
  ending,
}: Starting): Promise<RealServer> {
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log], env, ...(asRoot ? {} : NOBODY) });
  closeSync(log);
  const stopHard = () => child.kill('SIGKILL');
  process.once('exit', stopHard);
  try {
    const isUp = () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
      return answers(port);
    };
    await until(isUp, command, 30_000);
  } catch (error) {
    await ended(child, 'SIGKILL');
    throw new Error(`${(error as Error).message}; its log ends with:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`, {
      cause: error,
    });
  }
  return {
    port,
    folder,
    async stop() {
      process.removeListener('exit', stopHard);
      await ended(child, ending);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  child.kill(signal);
  await gone;
  clearTimeout(timer);
}
