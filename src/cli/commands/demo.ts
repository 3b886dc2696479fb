import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Instant } from '../../domain/time.js';
import { about } from '../about.js';
import { endingSignal } from '../ending-signal.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
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
    const code = await runDemo({
      tour,
      folder: dir === undefined ? null : resolve(shell.cwd, dir),
      version: shell.version,
      envoy: envoyFrom(shell.env),
      program: shell.program,
      shown: shownAs(shell.env),
      signal: endingSignal(shell),
      now: shell.time.wall() as Instant,
      say: (line) => writeLine(shell.stdout, line),
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

/** Started through npm, it is called through npm. */
function shownAs({ npm_command: npm }: Environment): string {
  return npm === undefined ? 'portcullis' : 'npm exec portcullis --';
}
