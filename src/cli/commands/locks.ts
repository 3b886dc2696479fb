import { Option, type Command } from 'commander';
import { about } from '../about.js';
import { lock as lockShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { lockCard, lockColumns } from '../locks/card.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly state?: string;
}

/** `locks`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List locks, newest first, those that have expired included; or show one.',
    example: 'portcullis locks --state in_force',
    who: 'operators, auditors, and the host over the admin socket',
  });
  command
    .argument('[id]', 'show this one', idOf('lock'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(['in_force', 'expired']));
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'locks', id], shape: lockShape });
        return printOne(shell, options, found, lockCard(found, now));
      }
      const call = { path: ['v1', 'locks'], query: { state: options.state }, shape: lockShape };
      const items = await readListing(client, call, options, shell);
      await printList(shell, options, items, { columns: lockColumns(now), nothing: 'no locks' });
    }),
  );
}
