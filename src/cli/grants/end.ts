import type { Command } from 'commander';
import { grant as grantShape } from '../api/answers.js';
import { printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import { tellUnapplied, waitQuery, type Waiting } from '../sessions/unapplied.js';
import type { Shell } from '../shell.js';
import { grantCard } from './card.js';

/** What ends a grant early: `revoke` by somebody who looks after it, `return` by its holder. */
export interface Ending extends Printing, Waiting {
  readonly reason?: string;
}

/** Ends a grant for good. */
export function endGrant(
  command: Command,
  shell: Shell,
  how: 'revoke' | 'return',
  id: string,
  { reason, ...options }: Ending,
): Promise<void> {
  return withService(command, shell, async (client) => {
    const call = { path: ['v1', 'grants', id, how], query: waitQuery(options), shape: grantShape };
    const ended = await client.send({ ...call, body: { reason } });
    await printOne(shell, options, ended, grantCard(ended, shell.time.wall()));
    tellUnapplied(shell, ended.unapplied);
  });
}
