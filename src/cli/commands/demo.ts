import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Instant } from '../../domain/time.js';
import { about } from '../about.js';
import { endingSignal } from '../ending-signal.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageError } from '../failure.js';
import { writeLine } from '../output/print.js';
import type { Environment, Shell } from '../shell.js';

interface Options {
  readonly tour?: boolean;
  readonly dir?: string;
}

/** `demo`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Run the service, Envoy and two things to protect on this machine, with certificates made for it.',
    example: 'portcullis demo --tour',
    who: 'everybody; asks no service',
  });
  command
    .option('--tour', 'play a request, an approval, an access and its end, then leave')
    .option('--dir <folder>', 'put everything into this folder (default: a new one among the temporary ones)');
  command.action(async ({ tour = false, dir }: Options) => {
    const { runDemo } = await import('../../demo/demo.js');
    const { UnusableFolderError } = await import('../../demo/folder.js');
    const code = await runDemo({
      tour,
      folder: dir === undefined ? null : resolve(shell.cwd, dir),
      version: shell.version,
      envoy: envoyFrom(shell.env),
      calling: callingFrom(shell),
      signal: endingSignal(shell),
      now: shell.time.wall() as Instant,
      say: (line) => writeLine(shell.stdout, line),
    }).catch((error: unknown) => {
      throw error instanceof UnusableFolderError ? usageError(error.message) : error;
    });
    // What went wrong it has said itself.
    if (code !== EXIT.done) throw new Failure(code, []);
  });
}

/** Which Envoy to take, and where one that has to be fetched is kept. */
function envoyFrom({ ENVOY_BIN: given, PATH: path = '', XDG_CACHE_HOME: cache, HOME: home }: Environment) {
  const base = cache?.startsWith('/') ? cache : join(home ?? homedir(), '.cache');
  return { given: given || null, path, cache: join(base, 'portcullis') };
}

function callingFrom({ program, env: { PATH: path = '', npm_command: npm } }: Shell) {
  return { program, path, throughNpm: npm !== undefined };
}
