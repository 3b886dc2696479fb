import { Option, type Command } from 'commander';
import { GRANT_STATES } from '../../domain/grant.js';
import { about } from '../about.js';
import { grant as grantShape } from '../api/answers.js';
import { idOf, instant } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { grantCard, grantColumns } from '../grants/card.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly mine?: true;
  readonly state?: string;
  readonly resource?: string;
  readonly policy?: string;
  readonly subject?: string;
  readonly person?: string;
  readonly since?: string;
}

/** `grants`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List grants, newest first; or show one.',
    example: 'portcullis grants --mine --state active',
    who: 'everybody: your own, and those you approved; auditors and operators see all',
  });
  command
    .argument('[id]', 'show this one', idOf('gr'))
    .option('--mine', 'only your own')
    .addOption(new Option('--state <state>', 'only those in this state').choices(GRANT_STATES))
    .option('--resource <name>', 'only those for this resource')
    .option('--policy <name>', 'only those under this policy')
    .option('--subject <subject>', 'only those of this subject')
    .option('--person <name>', 'only those of this person')
    .option('--since <instant>', 'only those born then or later (RFC 3339)', instant);
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'grants', id], shape: grantShape });
        return printOne(shell, options, found, grantCard(found, now));
      }
      const call = { path: ['v1', 'grants'], query: queryOf(options), shape: grantShape };
      const items = await readListing(client, call, options, shell);
      await printList(shell, options, items, { columns: grantColumns(now), nothing: 'no grants' });
    }),
  );
}

function queryOf({ mine, state, resource, policy, subject, person, since }: Options) {
  return { mine: mine && 'true', state, resource, policy, subject, person, since };
}
