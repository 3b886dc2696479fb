import { Option, type Command } from 'commander';
import { about } from '../about.js';
import { token as tokenShape } from '../api/answers.js';
import { addConnectionOptions } from '../connection/options.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';
import { tokenColumns } from '../tokens/card.js';

interface Options extends Printing, Listing {
  readonly mine?: true;
  readonly state?: string;
}

/** `tokens`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List tokens, newest first, never with their secrets.',
    example: 'portcullis tokens --state usable',
    who: 'everybody: your own; admins and the host over the admin socket see all',
  });
  command
    .option('--mine', 'only your own')
    .addOption(new Option('--state <state>', 'only those in this state').choices(['usable', 'expired', 'revoked']));
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((options: Options) =>
    withService(command, shell, async (client) => {
      const { mine, state } = options;
      const call = { path: ['v1', 'tokens'], query: { mine: mine && 'true', state }, shape: tokenShape };
      const items = await readListing(client, call, options, shell);
      await printList(shell, options, items, { columns: tokenColumns(shell.time.wall()), nothing: 'no tokens' });
    }),
  );
}
