import type { Command } from 'commander';
import { about } from '../about.js';
import { lock as lockShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { lockCard } from '../locks/card.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

/** `unlock`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Take a lock away. Grants that it suspended can be used again if they have not ended.',
    example: 'portcullis unlock lock_01kdg2h5v8e6v9m4s7w3x2y1z0',
    who: 'operators, and the host over the admin socket',
  });
  command.argument('<id>', 'the lock', idOf('lock'));
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, options: Printing) =>
    withService(command, shell, async (client) => {
      const removed = await client.send({ method: 'DELETE', path: ['v1', 'locks', id], shape: lockShape });
      await printOne(shell, options, removed, lockCard(removed, shell.time.wall()));
    }),
  );
}
