import type { Command } from 'commander';

/** What every help text says besides the options. */
export interface About {
  readonly description: string;
  readonly example: string;
  /** Who may call it: a phrase. */
  readonly who: string;
}

/** Describes a command: the first thing that every command module does. */
export function about(command: Command, { description, example, who }: About): Command {
  return command.description(description).addHelpText('after', `\nExample:\n  ${example}\n\nFor ${who}.`);
}
