import { Option, type Command } from 'commander';
import { SESSION_PROTOCOLS } from '../../domain/session.js';
import { about } from '../about.js';
import { session as sessionShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import { sessionCard, sessionColumns } from '../sessions/card.js';
import { watchSessions } from '../sessions/watch.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly watch?: true;
  readonly mine?: true;
  readonly state?: string;
  readonly grant?: string;
  readonly resource?: string;
  readonly subject?: string;
  readonly person?: string;
  readonly protocol?: string;
}

/** `sessions`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List what is connected, and what was until ten minutes ago, newest first; or show one.',
    example: 'portcullis sessions --resource orders-db --watch',
    who: 'everybody: your own; auditors, operators and the host over the admin socket see all',
  });
  command
    .argument('[id]', 'show this one', idOf('ses'))
    .option('--watch', 'print what lives, then what begins and ends; with -o json one object a line')
    .option('--mine', 'only your own')
    .addOption(new Option('--state <state>', 'only those in this state').choices(['live', 'ended']))
    .option('--grant <id>', 'only those under this grant', idOf('gr'))
    .option('--resource <name>', 'only those to this resource')
    .option('--subject <subject>', 'only those of this subject')
    .option('--person <name>', 'only those of this person')
    .addOption(new Option('--protocol <protocol>', 'only those that run like this').choices(SESSION_PROTOCOLS));
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'sessions', id], shape: sessionShape });
        return printOne(shell, options, found, sessionCard(found, now));
      }
      const query = queryOf(options);
      if (options.watch) await watchSessions(client, shell, options, query);
      const items = await readListing(client, { path: ['v1', 'sessions'], query, shape: sessionShape }, options, shell);
      await printList(shell, options, items, { columns: sessionColumns(now), nothing: 'no sessions' });
    }),
  );
}

function queryOf({ mine, state, grant, resource, subject, person, protocol }: Options) {
  return { mine: mine && 'true', state, grant, resource, subject, person, protocol };
}
