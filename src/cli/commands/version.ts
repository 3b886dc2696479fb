import type { Command } from 'commander';
import { about } from '../about.js';
import { addFormatOption, printOne, writeLine, type Printing } from '../output/print.js';
import type { Shell } from '../shell.js';

/** `version`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Print the version of this program.',
    example: 'portcullis version -o json',
    who: 'everybody; asks no service',
  });
  addFormatOption(command);
  command.action(async (options: Printing) => {
    const version = { version: shell.version, node: process.version, platform: process.platform, arch: process.arch };
    if (options.output === 'table') writeLine(shell.stdout, `portcullis ${shell.version}`);
    else await printOne(shell, options, version, []);
  });
}
