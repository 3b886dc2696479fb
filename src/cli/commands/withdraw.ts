import type { Command } from 'commander';
import { about } from '../about.js';
import { request as requestShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { requestCard } from '../requests/card.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

/** `withdraw`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Take a request back that nobody has decided yet.',
    example: 'portcullis withdraw req_01kdg2h5v8e6v9m4s7w3x2y1z0',
    who: 'the person that the request is for',
  });
  command.argument('<id>', 'the request', idOf('req'));
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, options: Printing) =>
    withService(command, shell, async (client) => {
      const withdrawn = await client.send({ path: ['v1', 'requests', id, 'withdraw'], shape: requestShape });
      await printOne(shell, options, withdrawn, requestCard(withdrawn, shell.time.wall()));
    }),
  );
}
