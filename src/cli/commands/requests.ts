import { Option, type Command } from 'commander';
import { REQUEST_STATES } from '../../domain/request.js';
import { about } from '../about.js';
import { request as requestShape, type RequestAnswer } from '../api/answers.js';
import { idOf, instant } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { endingSignal } from '../ending-signal.js';
import { usageError } from '../failure.js';
import { addLimitOption, readListing, type Listing } from '../listing.js';
import { addFormatOption, printList, printOne, type Printing } from '../output/print.js';
import { requestCard, requestColumns } from '../requests/card.js';
import { watchRequests, type Watching } from '../requests/watch.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Listing {
  readonly watch?: true;
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
    description:
      'List requests, newest first; or show one; or watch what waits for your review (with --mine: your own), and what becomes of it.',
    example: 'portcullis requests --reviewable',
    who: 'everybody: your own, and what you may review; auditors and operators see all',
  });
  command
    .argument('[id]', 'show this one', idOf('req'))
    .option('--watch', 'print what waits, then what comes and its outcome; with -o json one object a line')
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
  command.action((id: string | undefined, options: Options) => {
    const watching = options.watch && watchingOf(command, shell, id, options);
    return withService(command, shell, async (client) => {
      if (watching) return watchRequests(client, shell, options, watching);
      const now = shell.time.wall();
      if (id !== undefined) {
        const found = await client.get({ path: ['v1', 'requests', id], shape: requestShape });
        return printOne(shell, options, found, requestCard(found, now));
      }
      const call = { path: ['v1', 'requests'], query: queryOf(options), shape: requestShape };
      const items = await readListing(client, call, options, shell);
      await printList(shell, options, items, { columns: requestColumns(now), nothing: 'no requests' });
    });
  });
}

function queryOf({ mine, reviewable, state, resource, policy, subject, person, since }: Options) {
  const flags = { mine: mine && 'true', reviewable: reviewable && 'true' };
  return { ...flags, state, resource, policy, subject, person, since };
}

/** @throws {Failure} for what cannot be watched: a state that passes, a page of a listing, one request */
function watchingOf(command: Command, shell: Shell, id: string | undefined, options: Options): Watching {
  const { mine, resource, policy, person } = options;
  const unheeded = UNWATCHED.find((name) => command.getOptionValueSource(name) === 'cli');
  if (unheeded !== undefined) throw usageError(`--watch does not go together with --${unheeded}`);
  if (id !== undefined) throw usageError('--watch takes no id', `portcullis requests ${id} shows that one`);
  return {
    which: mine ? 'mine' : 'reviewable',
    wants: (request: RequestAnswer) =>
      (resource === undefined || request.resource === resource) &&
      (policy === undefined || request.policy === policy) &&
      (person === undefined || request.person === person),
    signal: endingSignal(shell),
  };
}

const UNWATCHED = ['state', 'subject', 'since', 'limit'] as const;
