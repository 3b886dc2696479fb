import { InvalidArgumentError, Option, type Command } from 'commander';
import { DENY_REASONS } from '../../domain/decision.js';
import { about } from '../about.js';
import { decision as decisionShape } from '../api/answers.js';
import { instant } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { decisionColumns } from '../decisions/card.js';
import { watchDecisions } from '../decisions/watch.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly watch?: true;
  readonly mine?: true;
  readonly effect?: string;
  readonly reason?: string;
  readonly resource?: string;
  readonly subject?: string;
  readonly person?: string;
  readonly since?: string;
}

/** `decisions`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List what checks were answered with, newest first; or print new decisions as they are made.',
    example: 'portcullis decisions --effect deny --resource orders-db --watch',
    who: 'everybody: about your own subjects; auditors and the host over the admin socket see all',
  });
  command
    .option('--watch', 'print new ones as they are made, oldest first; with -o json one object a line')
    .option('--mine', 'only those about your own subjects')
    .addOption(new Option('--effect <effect>', 'only these').choices(['allow', 'deny']))
    .option('--reason <reason>', 'only those denied for this reason, such as no_grant', reasonWord)
    .option('--resource <name>', 'only those about this resource')
    .option('--subject <subject>', 'only those about this subject')
    .option('--person <name>', 'only those about this person')
    .option('--since <instant>', 'only those made then or later (RFC 3339)', instant);
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((options: Options) =>
    withService(command, shell, async (client) => {
      const query = queryOf(options);
      if (options.watch) await watchDecisions(client, shell, options, query);
      const items = await readListing(
        client,
        { path: ['v1', 'decisions'], query, shape: decisionShape },
        options,
        shell,
      );
      const columns = decisionColumns(shell.time.wall());
      await printList(shell, options, items, { columns, nothing: 'no decisions' });
    }),
  );
}

/** The list of reasons is too long for a help text; a slip is answered with it. */
function reasonWord(text: string): string {
  if ((DENY_REASONS as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`expected one of ${DENY_REASONS.join(', ')}`);
}

function queryOf({ mine, effect, reason, resource, subject, person, since }: Options) {
  return { mine: mine && 'true', effect, reason, resource, subject, person, since };
}
