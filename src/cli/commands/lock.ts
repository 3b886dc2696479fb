import type { Command } from 'commander';
import { about } from '../about.js';
import { newLock, type NewLockAnswer } from '../api/answers.js';
import { durationText } from '../arguments.js';
import { addConnectionOptions } from '../connection/options.js';
import { usageError } from '../failure.js';
import { lockCard } from '../locks/card.js';
import { addFormatOption, printOne, say, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import { addWaitOption, tellUnapplied, waitQuery, type Waiting } from '../sessions/unapplied.js';
import type { Shell } from '../shell.js';

interface Targets {
  readonly subject?: string;
  readonly person?: string;
  readonly resource?: string;
}

interface Options extends Printing, Targets, Waiting {
  readonly reason: string;
  readonly message?: string;
  readonly for?: string;
  readonly unknownOk?: true;
}

/** `lock`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Deny a subject, a person or a resource everything, whatever grants there are. Ends no grant.',
    example: 'portcullis lock --person alice --reason "incident 12" --message "call the duty desk" --for 4h',
    who: 'operators, and the host over the admin socket',
  });
  command
    .option('--subject <subject>', 'deny this subject')
    .option('--person <name>', 'deny every subject of this person')
    .option('--resource <name>', 'deny everybody this resource')
    .requiredOption('--reason <text>', 'why, for those who look after locks')
    .option('--message <text>', 'what whoever it hits is told')
    .option('--for <duration>', 'how long (default: until it is removed)', durationText)
    .option('--unknown-ok', 'also a person or a resource of which nothing is known');
  addWaitOption(command);
  addFormatOption(command);
  addConnectionOptions(command);
  command.action((options: Options) => {
    const { reason, message, for: duration, unknownOk } = options;
    const body = { target: targetOf(options), reason, message, duration, unknownOk };
    return withService(command, shell, async (client) => {
      const made = await client.send({ path: ['v1', 'locks'], query: waitQuery(options), body, shape: newLock });
      if (made.warning !== null) say(shell, `warning: ${made.warning}`);
      await printOne(shell, options, made, lockCard(made, shell.time.wall()));
      say(shell, hitText(made));
      tellUnapplied(shell, made.unapplied);
    });
  });
}

function hitText({ hit: { grants, sessions }, unapplied }: NewLockAnswer): string {
  const cut = unapplied ? 'being cut' : 'cut';
  const denied = grants === null ? 'its grants were not counted' : `${counted(grants, 'grant')} denied`;
  if (grants === 0 && sessions === 0) return 'it hits no grant and no session now';
  return `${counted(sessions, 'session')} ${cut}, ${denied}`;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function targetOf({ subject, person, resource }: Targets): Readonly<Record<string, string>> {
  const given = Object.entries({ subject, person, resource }).filter(([, value]) => value !== undefined);
  const [only] = given;
  if (only === undefined || given.length > 1)
    throw usageError('give exactly one of --subject, --person and --resource', 'several locks make several targets');
  return { kind: only[0], [only[0]]: only[1]! };
}
