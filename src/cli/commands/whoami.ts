import type { Command } from 'commander';
import { about } from '../about.js';
import { whoami } from '../api/answers.js';
import { addConnectionOptions } from '../connection/options.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

/** `whoami`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Show who the service takes you for, and what that lets you do.',
    example: 'portcullis whoami',
    who: 'everybody whom the service knows',
  });
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((options: Printing) =>
    withService(command, shell, async (client) => {
      const me = await client.get({ path: ['v1', 'whoami'], shape: whoami });
      await printOne(shell, options, me, [
        ['name', me.name],
        ['kind', me.kind],
        ['person', me.person],
        ['subjects', listed(me.subjects)],
        ['roles', listed(me.roles)],
        ['via', me.via],
      ]);
    }),
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
