import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { HostPort } from '../../policy/host-port.js';
import { systemReason } from '../../policy/system-reason.js';
import { failure, usageError } from '../failure.js';
import type { Shell } from '../shell.js';

/** As shells have it: there is no such program, or it is none. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

/** Words of a command, with `{host}` and `{port}` where they belong. */
export type CommandWords = readonly [string, ...string[]];

/**
 * A command that says nothing of the port would go somewhere else than to the resource, and nobody would notice.
 *
 * @throws {Failure}
 */
export function assertUsesPort(words: CommandWords, isPortKnown: boolean): void {
  if (isPortKnown || words.some((word) => word.includes('{port}'))) return;
  throw usageError(
    `${JSON.stringify(words[0])} is not told the port`,
    'write {port}, and {host}, where the command takes them, or choose the port with --listen 127.0.0.1:PORT',
  );
}

/** The words with the address filled in. */
export function filledIn(words: CommandWords, { host, port }: HostPort): CommandWords {
  return words.map((word) => word.replaceAll('{host}', host).replaceAll('{port}', String(port))) as [string];
}

/**
 * Runs a command on this terminal to its end, passes on what ends this process, and never leaves it behind.
 *
 * @returns its exit code; 128 and the number of the signal that ended it
 * @throws {Failure} when it cannot be started
 */
export function runChild(
  [command, ...args]: CommandWords,
  { cwd, env, signals, stderr }: Pick<Shell, 'cwd' | 'env' | 'signals' | 'stderr'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // Before it runs: a signal that nobody hears would end this process and leave the command behind.
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) signals.on(signal, () => void child.kill(signal));
    // A terminal sends it to the command as well, which knows best what it means: in psql it ends a query.
    signals.on('SIGINT', () => void (stderr.isTTY || child.kill('SIGINT')));
    const child = spawn(command, args, { cwd, env: { ...env }, stdio: 'inherit' });
    // However this process ends, short of SIGKILL.
    const abandoned = () => void child.kill('SIGKILL');
    process.once('exit', abandoned);
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.removeListener('exit', abandoned);
      const code = error.code === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE;
      reject(
        failure(code, `cannot run ${JSON.stringify(command)}: ${systemReason(error)}`, undefined, { cause: error }),
      );
    });
    child.once('exit', (code, signal) => {
      process.removeListener('exit', abandoned);
      resolve(code ?? 128 + constants.signals[signal!]);
    });
  });
}
