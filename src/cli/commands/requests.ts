import { Option, type Command } from 'commander';
import { REQUEST_STATES } from '../../domain/request.js';
import { about } from '../about.js';
import { request as requestShape, type RequestAnswer } from '../api/answers.js';
import { idOf, instant } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';
import { requestCard, requestColour } from '../requests/card.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly mine?: true;
  readonly reviewable?: true;
  readonly state?: string;
  readonly resource?: string;
  readonly policy?: string;
  readonly subject?: string;
  readonly person?: string;
  readonly since?: string;
}

/** `requests`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'List requests, newest first; or show one.',
    example: 'portcullis requests --reviewable',
    who: 'everybody: your own, and what you may review; auditors and operators see all',
  });
  command
    .argument('[id]', 'show this one', idOf('req'))
    .option('--mine', 'only your own')
    .option('--reviewable', 'only those that wait for a review that you could give')
    .addOption(new Option('--state <state>', 'only those in this state').choices(REQUEST_STATES))
    .option('--resource <name>', 'only those for this resource')
    .option('--policy <name>', 'only those under this policy')
    .option('--subject <subject>', 'only those of this subject')
    .option('--person <name>', 'only those of this person')
    .option('--since <instant>', 'only those made then or later (RFC 3339)', instant);
  addLimitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'requests', id], shape: requestShape });
        return printOne(shell, options, found, requestCard(found, now));
      }
      const call = { path: ['v1', 'requests'], query: queryOf(options), shape: requestShape };
      const items = await readListing(client, call, options, shell);
      await printList(shell, options, items, { columns: requestColumns(now), nothing: 'no requests' });
    }),
  );
}

function queryOf({ mine, reviewable, state, resource, policy, subject, person, since }: Options) {
  const flags = { mine: mine && 'true', reviewable: reviewable && 'true' };
  return { ...flags, state, resource, policy, subject, person, since };
}

/** How requests are listed; `now` in milliseconds since the epoch. */
export function requestColumns(now: number): Column<RequestAnswer>[] {
  return [
    { title: 'REQUEST', text: ({ id }) => id },
    { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => requestColour(state) },
    { title: 'FOR', text: ({ duration }) => duration },
    { title: 'MADE', text: ({ createdAt }) => relativeTime(createdAt, now) },
    { title: 'RESOURCE', text: ({ resource }) => resource, flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
    { title: 'REASON', text: ({ justification }) => justification, flexible: true },
  ];
}
