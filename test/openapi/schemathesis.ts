import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tool that reads the description of the API and looks for calls that do not fit it. Python, from PyPI. */
const VERSION = '4.32.5';

const HOME = fileURLToPath(new URL('../../.cache/schemathesis/', import.meta.url));
const STAMP = join(HOME, `installed-${VERSION}`);

/** Installs the tool under `.cache/` where this version is missing; gives the path of its command. */
export async function installSchemathesis(): Promise<string> {
  if (!existsSync(STAMP)) {
    mkdirSync(HOME, { recursive: true });
    await finished(run('python3', ['-m', 'venv', HOME]));
    await finished(run(join(HOME, 'bin/pip'), ['install', '--quiet', `schemathesis==${VERSION}`]));
    writeFileSync(STAMP, '');
  }
  return join(HOME, 'bin/schemathesis');
}

/** One run of the tool. */
export interface FuzzRun {
  /** File with the description. */
  readonly description: string;
  readonly url: string;
  readonly token: string;
  readonly checks: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  /** Where it writes what it writes. */
  readonly folder: string;
}

/** Runs the tool; gives what it found as text, and whether that is nothing. */
export async function fuzz(
  command: string,
  one: FuzzRun,
): Promise<{ readonly clean: boolean; readonly report: string }> {
  const { description, url, token, checks, seconds, seed, folder } = one;
  const started = run(
    command,
    [
      'run',
      description,
      `--url=${url}`,
      `--header=Authorization: Bearer ${token}`,
      `--checks=${checks.join(',')}`,
      `--max-time=${seconds}`,
      `--seed=${seed}`,
      '--generation-database=none',
      '--continue-on-failure',
      '--no-color',
      '--warnings=off',
    ],
    folder,
  );
  const { code, text } = await started;
  return { clean: code === 0, report: text };
}

interface Finished {
  readonly code: number | null;
  readonly text: string;
}

function run(command: string, options: readonly string[], cwd?: string): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, options, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd !== undefined && { cwd }) });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text: Buffer.concat(chunks).toString('utf8') }));
  });
}

async function finished(running: Promise<Finished>): Promise<void> {
  const { code, text } = await running;
  if (code !== 0) throw new Error(`installing schemathesis ${VERSION} failed: ${text}`);
}
