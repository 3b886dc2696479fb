import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { CHECK_HEADERS, CHECK_PATH } from '../scene/check-bytes.js';
import { spreadOf, type Spread } from '../figures/quantile.js';

/** What one run of h2load came to. */
export interface Loaded {
  readonly done: number;
  readonly failed: number;
  readonly seconds: number;
  /** Milliseconds from a request to the end of its answer. */
  readonly latency: Spread;
}

export interface H2Load {
  /** Path of the Unix socket. */
  readonly socket: string;
  /** One gRPC message with its frame, sent again and again. */
  readonly bodyFile: string;
  readonly seconds: number;
  readonly connections: number;
  readonly streams: number;
  /** Checks a second in all, evenly; null: as many as are answered. */
  readonly rate: number | null;
  readonly core: number | null;
}

/** Asks the same check over and over, as Envoy would: a few HTTP/2 connections, several streams on each. */
export async function h2load(load: H2Load): Promise<Loaded> {
  const { socket, bodyFile, rate, connections } = load;
  return run(load, `${bodyFile}.${process.pid}.log`, [
    '-d', bodyFile,
    '-B', `unix:${socket}`,
    ...(rate === null ? [] : [`--rps=${rate / connections}`]),
    ...CHECK_HEADERS.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    `http://portcullis-authz${CHECK_PATH}`,
  ]); // prettier-ignore
}

/** Plain requests over HTTP/2 without TLS, as many as are answered. Everything but 2xx and 3xx counts as failed. */
export async function h2loadGet(load: H2LoadGet): Promise<Loaded> {
  const url = new URL(load.url);
  return run(load, load.logFile, [`--connect-to=127.0.0.1:${load.port}`, url.href]);
}

export interface H2LoadGet extends Pick<H2Load, 'seconds' | 'connections' | 'streams' | 'core'> {
  /** Its host is what the server is to think it is. */
  readonly url: string;
  /** Where the server is, on loopback. */
  readonly port: number;
  /** Written meanwhile, and gone afterwards. */
  readonly logFile: string;
}

async function run(
  { seconds, connections, streams, core }: Pick<H2Load, 'seconds' | 'connections' | 'streams' | 'core'>,
  logFile: string,
  more: readonly string[],
): Promise<Loaded> {
  const args = [
    '-c', String(connections),
    '-m', String(streams),
    '-D', `${Math.round(seconds * 1_000)}ms`,
    `--log-file=${logFile}`,
    ...more,
  ]; // prettier-ignore
  try {
    const said = await output(core === null ? ['h2load', ...args] : ['taskset', '-c', String(core), 'h2load', ...args]);
    return { ...countsIn(said), latency: spreadOf(latenciesIn(readFileSync(logFile, 'latin1'))) };
  } finally {
    rmSync(logFile, { force: true });
  }
}

function output([command, ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
    child.once('error', () => reject(new Error(MISSING)));
    child.once('close', (code) =>
      code === 0 ? resolve(said) : reject(new Error(`h2load failed: ${said || MISSING}`)),
    );
  });
}

const MISSING = 'h2load cannot be run; install it (Debian: nghttp2-client), and taskset (util-linux)';

/** `requests: 9 total, 9 started, 9 done, 9 succeeded, 0 failed, 0 errored, 0 timeout` and `finished in 3.00s, …`. */
function countsIn(said: string): Pick<Loaded, 'done' | 'failed' | 'seconds'> {
  const [, done, succeeded] = /(\d+) done, (\d+) succeeded/.exec(said) ?? [];
  const [, length, unit] = /^finished in ([\d.]+)(s|ms|us)/m.exec(said) ?? [];
  if (done === undefined || length === undefined) throw new Error(`h2load said something else than expected: ${said}`);
  const seconds = Number(length) / { s: 1, ms: 1e3, us: 1e6 }[unit as 's'];
  return { done: Number(done), failed: Number(done) - Number(succeeded), seconds };
}

/** Start in microseconds, HTTP status, microseconds until the end; by tabs. */
function latenciesIn(log: string): number[] {
  const lines = log.split('\n').filter(Boolean);
  return lines.map((line) => Number(line.split('\t')[2]) / 1_000);
}
