import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { findEnvoy } from '../../src/demo/find-envoy.js';

/** The oldest line we test; all but the long tests of protocols run on the newest, too. */
export const OLDEST = '1.39.3';
const VERSIONS = [OLDEST, '1.40.0'];

export interface EnvoyBinary {
  readonly command: string;
  readonly version: string;
}

/**
 * The Envoys to test with: the one in ENVOY_BIN alone, else both versions, from the path or out of the cache of this
 * checkout, installed there when they are not. `missing` says why there is none at all, and is empty otherwise.
 *
 * @throws {Error} with PORTCULLIS_REQUIRE=envoy, when one of them is not there
 */
export async function envoysForTests(): Promise<{ readonly envoys: readonly EnvoyBinary[]; readonly missing: string }> {
  const given = process.env['ENVOY_BIN'] ?? null;
  const said: string[] = [];
  const search = { path: process.env['PATH']!, cache: resolve('.cache'), progress: (text: string) => said.push(text) };
  const found = await Promise.all(
    given ? [findEnvoy({ ...search, given })] : VERSIONS.map((version) => findEnvoy({ ...search, given, version })),
  );
  const envoys = found.filter((one) => one.kind === 'binary');
  const advice = found.filter((one) => one.kind === 'none').map((one) => one.advice);
  const why = [...new Set(advice), ...said].join('; ');
  const required = process.env['PORTCULLIS_REQUIRE']?.split(',').includes('envoy');
  if (required && envoys.length < found.length) throw new Error(`an Envoy is required and missing: ${why}`);
  if (envoys.length > 0) return { envoys, missing: '' };
  // One that nobody starts, so that there are tests to skip and their names say why.
  const missing = why || 'Envoy is there in Docker only';
  return { envoys: [{ command: '', version: 'missing' }], missing };
}

/** What one Envoy is started with. */
export interface EnvoyRun {
  readonly command: string;
  readonly config: string;
  /** Where it is started: relative paths of the configuration begin here. Its own log is kept there too. */
  readonly folder: string;
  /** Port of its admin endpoint on loopback. */
  readonly admin: number;
  /** Listeners that must be there before it counts as started. */
  readonly listeners: readonly string[];
}

export interface RunningEnvoy {
  /** What its own log holds so far. */
  log(): string;
  /** Asks the admin endpoint. */
  ask(path: string): Promise<string>;
  /** One number of its statistics; 0 where there is none. */
  stat(name: string): Promise<number>;
  /** Until a listener of that name is active. */
  hasListener(name: string): Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 15_000;

/**
 * Starts an Envoy and waits until it is live and has its listeners.
 *
 * @throws {Error} with the end of its log, when it ends or a listener does not come
 */
export async function startEnvoy({ command, config, folder, admin, listeners }: EnvoyRun): Promise<RunningEnvoy> {
  const logFile = join(folder, 'envoy.log');
  const log = openSync(logFile, 'a');
  // So that several run on one machine, and the access log is there when a test looks.
  const args = ['--disable-hot-restart', '--concurrency', '2', '--file-flush-interval-msec', '50'];
  // Listeners that are replaced end their sessions this soon.
  const drain = ['--drain-time-s', '2', '--parent-shutdown-time-s', '3'];
  const child = spawn(command, ['-c', config, ...args, ...drain], { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  const stopHard = () => child.kill('SIGKILL');
  process.once('exit', stopHard);
  const envoy: RunningEnvoy = {
    log: () => readFileSync(logFile, 'utf8'),
    ask: (path) => askAdmin(admin, path),
    stat: async (name) => Number(/: (\d+)/.exec(await askAdmin(admin, `/stats?filter=^${name}$`))?.[1] ?? 0),
    hasListener: (name) => until(async () => (await listenersOf(admin)).includes(name), `listener ${name}`),
    async stop() {
      process.removeListener('exit', stopHard);
      await ended(child);
    },
  };
  try {
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
        return (await askAdmin(admin, '/ready').catch(() => '')).startsWith('LIVE');
      },
      'Envoy',
      START_MS,
    );
    for (const name of listeners) await envoy.hasListener(name);
    return envoy;
  } catch (error) {
    await envoy.stop();
    throw new Error(`${(error as Error).message}; its log ends with:\n${envoy.log().slice(-3_000)}`, { cause: error });
  }
}

async function listenersOf(admin: number): Promise<string[]> {
  const lines = (await askAdmin(admin, '/listeners')).trim().split('\n');
  return lines.map((line) => line.split('::')[0]!);
}

async function askAdmin(admin: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${admin}${path}`);
  return response.text();
}

/** Asks again and again until the answer is yes. An error of `ask` ends it at once. */
export async function until(ask: () => boolean | Promise<boolean>, what: string, timeoutMs = 5_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Asks it to end, and after a while makes it. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(timer);
}

/** Whether Envoy finds a configuration sound. The text is what it says when it does not. */
export async function validate(command: string, config: string, folder: string): Promise<string> {
  const child = spawn(command, ['--mode', 'validate', '-l', 'error', '-c', config], { cwd: folder });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return code === 0 ? '' : said || `exit code ${code}`;
}

/** Ports that nobody listens on right now. */
export async function freePorts<const N extends string>(...names: readonly N[]): Promise<Record<N, number>> {
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(names.map((name, i) => [name, ports[i]])) as Record<N, number>;
}

/** @throws {Error} when somebody listens on one of them: Envoy would share it without a word */
export async function expectFree(...ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  }
}
