import type { Command } from 'commander';
import { about } from '../about.js';
import { draft as draftShape } from '../api/answers.js';
import { idOf } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { draftCard } from '../drafts/card.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

/** `dismiss`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Throw a draft away. The next refusal leaves another one.',
    example: 'portcullis dismiss dft_01kdg2h5v8e6v9m4s7w3x2y1z0',
    who: 'the person whose subject was refused',
  });
  command.argument('<id>', 'the draft', idOf('dft'));
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((id: string, options: Printing) =>
    withService(command, shell, async (client) => {
      const call = { method: 'DELETE', path: ['v1', 'drafts', id], shape: draftShape } as const;
      const dismissed = await client.send(call);
      await printOne(shell, options, dismissed, draftCard(dismissed, shell.time.wall()));
    }),
  );
}
