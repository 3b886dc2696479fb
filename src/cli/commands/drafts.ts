import type { Command } from 'commander';
import { about } from '../about.js';
import { draft as draftShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { draftCard, draftColumns } from '../drafts/card.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly mine?: true;
  readonly resource?: string;
  readonly subject?: string;
}

/** `drafts`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'List what refused connections have left to ask for, newest first; or show one. Nobody has been asked yet.',
    example: 'portcullis drafts --mine',
    who: 'everybody: your own; auditors and operators see all',
  });
  command
    .argument('[id]', 'show this one', idOf('dft'))
    .option('--mine', 'only your own')
    .option('--resource <name>', 'only those for this resource')
    .option('--subject <subject>', 'only those of this subject');
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'drafts', id], shape: draftShape });
        return printOne(shell, options, found, draftCard(found, now));
      }
      const { mine, resource, subject } = options;
      const query = { mine: mine && 'true', resource, subject };
      const items = await readListing(client, { path: ['v1', 'drafts'], query, shape: draftShape }, options, shell);
      await printList(shell, options, items, { columns: draftColumns(now), nothing: 'no drafts' });
    }),
  );
}
