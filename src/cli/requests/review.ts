import { InvalidArgumentError, type Command } from 'commander';
import { request as requestShape, type RequestAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { EXIT } from '../exit-codes.js';
import { failure } from '../failure.js';
import { addFormatOption, printOne, say, show, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';
import { contentLines, lockLines, requestColour, standingLines } from './card.js';
import { assertDigestFits } from './digest.js';
import { theOneThatWaits } from './the-one.js';
import { tellGrant } from './wait.js';

interface Options extends Printing {
  readonly reason?: string;
  readonly digest?: string;
}

type Verdict = 'approve' | 'deny';

/** Gives `approve` and `deny` their options and their action, which differ in one word. */
export function describeReview(command: Command, shell: Shell, verdict: Verdict): void {
  command
    .argument('[id]', 'the request', idOf('req'))
    .option('--reason <text>', 'why, for the requester and for the log')
    .option('--digest <prefix>', 'only if its digest begins so: when you were told it elsewhere', digestPrefix);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string | undefined, options: Options) =>
    withService(command, shell, async (client) => {
      const request = id === undefined ? await theOneThatWaits(client) : await read(client, id);
      await review(client, shell, request, { ...options, verdict });
    }),
  );
}

/** What is sent is the digest of what was shown: looked at here, not taken from the service's word. */
async function review(
  client: Client,
  shell: Shell,
  shown: RequestAnswer,
  { verdict, reason, digest: wanted, ...printing }: Options & { readonly verdict: Verdict },
): Promise<void> {
  assertDigestFits(shown);
  if (wanted !== undefined && !shown.digest.startsWith(wanted))
    throw failure(
      EXIT.conflict,
      `the digest of ${shown.id} is ${shown.digest.slice(0, Math.max(12, wanted.length))}…, not ${wanted}…`,
      'somebody speaks of another request; nothing was sent',
    );
  say(shell, `you ${verdict} ${shown.id}:`);
  show(shell, [...contentLines(shown), ...lockLines(shown)]);
  const after = await client.send({
    path: ['v1', 'requests', shown.id, 'reviews'],
    body: { verdict, digest: shown.digest, reason },
    shape: requestShape,
  });
  await printOne(shell, printing, after, [
    ['request', after.id],
    ['state', after.state, requestColour(after.state)],
    ...standingLines(after),
  ]);
  if (verdict === 'approve' && after.state === 'approved') await tellGrant(client, shell, after);
}

function read(client: Client, id: string): Promise<RequestAnswer> {
  return client.get({ path: ['v1', 'requests', id], shape: requestShape });
}

/** Fewer digits would fit some other request too easily. */
function digestPrefix(text: string): string {
  if (/^[0-9a-f]{8,64}$/.test(text)) return text;
  throw new InvalidArgumentError('expected the first 8 to 64 hexadecimal digits of a digest');
}
