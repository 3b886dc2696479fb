import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** How a benchmark ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a benchmark to its end, as its npm script does. */
export function runBenchmark(name: string, ...args: readonly string[]): Promise<Ended> {
  const loader = resolve('node_modules/tsx/dist/esm/index.mjs');
  const child = spawn(process.execPath, ['--import', loader, resolve(`bench/${name}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ code, out, err }));
  });
}

/**
 * What a benchmark needs of this machine and does not find; empty when all is there.
 *
 * @throws {Error} with PORTCULLIS_REQUIRE=bench, when something is missing
 */
export function missingHere(...programs: readonly string[]): string {
  const found = programs.filter((program) => !isInPath(program)).map((program) => `${program} is not installed`);
  const missing = [...found, ...(availableParallelism() < 2 ? ['there is only one processor'] : [])].join(', ');
  if (missing !== '' && process.env['PORTCULLIS_REQUIRE']?.split(',').includes('bench')) throw new Error(missing);
  return missing;
}

function isInPath(program: string): boolean {
  return process.env['PATH']!.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The last line that was printed. */
export const lastLine = ({ out }: Ended): string => out.trimEnd().split('\n').at(-1)!;
