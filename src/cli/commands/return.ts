import type { Command } from 'commander';
import { about } from '../about.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { endGrant, type Ending } from '../grants/end.js';
import { addFormatOption } from '../output/print.js';
import { addWaitOption } from '../sessions/unapplied.js';
import type { Shell } from '../shell.js';

/** `return`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'End a grant of your own, for good and from now on.',
    example: 'portcullis return gr_6kt9zn0v3q7m1s8x5w2c4b0a9d',
    who: 'the person who holds it',
  });
  command.argument('<id>', 'the grant', idOf('gr')).option('--reason <text>', 'why, for the log');
  addWaitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, options: Ending) => endGrant(command, shell, 'return', id, options));
}
