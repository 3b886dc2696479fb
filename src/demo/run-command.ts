import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a command ended: with its exit code, or null when it could not be run or took too long. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** The first of that name in `path` that can be executed; null when there is none. */
export function findCommand(name: string, path: string): string | null {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** Runs a command to its end and collects what it prints. Never rejects. */
export function run(command: string, args: readonly string[], timeoutMs: number): Promise<Ended> {
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve) => {
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, output: `${stdout}${stderr}` || (error?.message ?? '') });
    });
    child.stdin?.end();
  });
}

/** The last thing a command said: for a failure, mostly its reason. */
export function lastLine({ output }: Ended): string {
  return (output.trimEnd().split('\n').at(-1) ?? '').slice(0, 300);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
