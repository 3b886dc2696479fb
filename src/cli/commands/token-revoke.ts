import type { Command } from 'commander';
import { about } from '../about.js';
import { token as tokenShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';
import { tokenCard } from '../tokens/card.js';

/** `token revoke`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'End a token at once.',
    example: 'portcullis token revoke tok_01kdg2h5v8e6v9m4s7w3x2y1z0',
    who: 'the person it speaks for, admins, and the host over the admin socket',
  });
  command.argument('<id>', 'the token', idOf('tok'));
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, options: Printing) =>
    withService(command, shell, async (client) => {
      const revoked = await client.send({ method: 'DELETE', path: ['v1', 'tokens', id], shape: tokenShape });
      await printOne(shell, options, revoked, tokenCard(revoked, shell.time.wall()));
    }),
  );
}
