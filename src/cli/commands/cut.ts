import type { Command } from 'commander';
import { about } from '../about.js';
import { session as sessionShape, type SessionAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import { sessionCard } from '../sessions/card.js';
import { addWaitOption, tellUnapplied, waitQuery, type Waiting } from '../sessions/unapplied.js';
import type { Shell } from '../shell.js';

interface Options extends Printing, Waiting {
  readonly reason?: string;
}

/** `cut`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Cut a session. Ends no grant: whoever holds it may connect again.',
    example: 'portcullis cut ses_01kdg2h5v8e6v9m4s7w3x2y1z0 --reason stuck',
    who: 'the person whose session it is, operators, and the host over the admin socket',
  });
  command
    .argument('<id>', 'the session, as sessions lists it', idOf('ses'))
    .option('--reason <text>', 'why, for the log');
  addWaitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, { reason, ...options }: Options) =>
    withService(command, shell, async (client) => {
      const call = { path: ['v1', 'sessions', id, 'cut'], query: waitQuery(options), shape: sessionShape };
      const cut = await client.send({ ...call, body: { reason } });
      const after = cut.unapplied || !options.wait ? cut : await ended(client, shell, cut);
      const state = after.end === null ? 'being cut' : after.state;
      await printOne(shell, options, after, sessionCard({ ...after, state }, shell.time.wall()));
      tellUnapplied(shell, cut.unapplied);
    }),
  );
}

/** Milliseconds between looks, and how many there are. */
const LOOKS = { pause: 20, most: 10 };

/** A guard has cut the session when it says so, and tells of its end a moment later. */
async function ended(client: Client, { time }: Pick<Shell, 'time'>, cut: SessionAnswer): Promise<SessionAnswer> {
  let seen = cut;
  for (let look = 0; seen.end === null && look < LOOKS.most; look++) {
    await time.sleep(LOOKS.pause);
    seen = await client.get({ path: ['v1', 'sessions', cut.id], shape: sessionShape });
  }
  return seen;
}
