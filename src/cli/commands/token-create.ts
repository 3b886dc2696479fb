import type { Command } from 'commander';
import { about } from '../about.js';
import { newToken } from '../api/answers.js';
import { durationText } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { addFormatOption, printOne, show, writeLine, type Printing } from '../output/print.js';
import { visible } from '../output/visible.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';
import { tokenCard } from '../tokens/card.js';

interface Options extends Printing {
  readonly service?: string;
  readonly subject?: string;
  readonly for?: string;
}

/** `token create`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Make a bearer token. Its secret is printed this once, alone on standard output, and kept nowhere.',
    example: '(umask 077; portcullis token create --service ci-runner --for 30d > ci-runner.token)',
    who: 'everybody, for themselves, with a client certificate; with --service: admins, and the host over the admin socket',
  });
  command
    .option('--service <name>', 'a token for a service of this name, not for yourself')
    .option('--subject <subject>', 'what the service may ask access for')
    .option('--for <duration>', 'how long (default: 8h for yourself, 30d for a service)', durationText);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((options: Options) =>
    withService(command, shell, async (client) => {
      const { service, subject, for: duration } = options;
      const body = { service, subject, duration };
      const made = await client.send({ path: ['v1', 'tokens'], body, shape: newToken, once: false });
      if (options.output !== 'table') return printOne(shell, options, made, []);
      show(shell, tokenCard(made, shell.time.wall()));
      writeLine(shell.stdout, visible(made.secret));
    }),
  );
}
