import type { Command } from 'commander';
import { about } from '../about.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { visibleNotation } from '../output/visible.js';
import type { Shell } from '../shell.js';

/** `config print`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Print the configuration in force, with every default, as a file that gives the same again.',
    example: 'portcullis config print --log-level debug',
    who: 'everybody; asks no service',
  });
  addConfigOptions(command, []);
  command.action(async () => {
    const { config } = await loadSettings(command, shell);
    const { printConfig } = await import('../../config.js');
    shell.stdout.write(visibleNotation(printConfig(config)));
  });
}
