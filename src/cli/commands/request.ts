import { Option, type Command } from 'commander';
import { about } from '../about.js';
import { request as requestShape } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { collect, durationText, idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { usageError } from '../failure.js';
import { addFormatOption, printOne, say, type Printing } from '../output/print.js';
import { requestCard } from '../requests/card.js';
import { tellGrant, waitForDecision } from '../requests/wait.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Options extends Printing {
  readonly draft?: string;
  readonly for?: string;
  readonly reason?: string;
  readonly action?: readonly string[];
  readonly policy?: string;
  readonly subject?: string;
  readonly wait?: true;
  readonly timeout?: string;
}

/** `request`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Ask for access to a resource, or for what a refused connection has left a draft of. An identical request that still ' +
      'waits is taken up again.',
    example: 'portcullis request orders-db --for 2h --reason "invoice 4711 is missing" --wait',
    who: 'everybody whom a policy admits to the resource',
  });
  command
    .argument('[resource]', 'what you need')
    .option('--draft <id>', 'just what was refused, as the refusal or drafts names it', idOf('dft'))
    .option('--for <duration>', "how long, such as 30m or 2h (default: the policy's)", durationText)
    .option('--reason <text>', 'what you need it for')
    .option('--action <name>', 'only this action; may be repeated (default: all that the policy admits)', collect)
    .option('--policy <name>', 'ask under this policy')
    .option('--subject <subject>', 'which of your subjects it is for (default: that of your certificate)')
    .option('--wait', 'wait until it is decided')
    .addOption(new Option('--timeout <duration>', 'wait no longer than this').argParser(durationText));
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((resource: string | undefined, options: Options) => {
    const wish = wishOf(resource, options);
    if (options.timeout !== undefined && !options.wait)
      throw usageError('--timeout says how long to wait', 'give --wait, too');
    return withService(command, shell, (client) => ask(client, shell, wish, options));
  });
}

/** A call that makes a request. */
interface Wish {
  readonly path: readonly string[];
  readonly body: object;
}

/** A draft says by itself what is asked for, for whom and under which policy. */
function wishOf(resource: string | undefined, options: Options): Wish {
  const { for: duration, reason: justification, action: actions, policy, subject, draft } = options;
  if (draft === undefined) {
    if (resource === undefined) throw usageError('what is it for?', 'name a resource, or a draft with --draft');
    return { path: ['v1', 'requests'], body: { resource, duration, justification, actions, policy, subject } };
  }
  if (resource !== undefined || actions || policy !== undefined || subject !== undefined)
    throw usageError(
      '--draft goes with neither a resource nor --action, --policy and --subject: the draft says all that',
      'leave them out, or ask without --draft',
    );
  return { path: ['v1', 'drafts', draft, 'submit'], body: { duration, justification } };
}

async function ask(client: Client, shell: Shell, wish: Wish, options: Options): Promise<void> {
  const made = await client.send({ ...wish, shape: requestShape });
  if (!options.wait) {
    await printOne(shell, options, made, requestCard(made, shell.time.wall()));
    if (made.state === 'pending') say(shell, `${made.id} waits for ${reviewersOf(made.reviewers)}`);
    return;
  }
  const settled = await waitForDecision(client, shell, made, options.timeout);
  await printOne(shell, options, settled.request, requestCard(settled.request, shell.time.wall()));
  if (settled.failure) throw settled.failure;
  await tellGrant(client, shell, settled.request);
}

function reviewersOf(people: readonly string[]): string {
  return people.length === 0 ? 'a review, but nobody can give one now' : `a review by ${people.join(' or ')}`;
}
