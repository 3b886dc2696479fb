import type { Command } from 'commander';
import { about } from '../about.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { shownFrom } from '../offline/problems.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

/** `config check`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Check the configuration, with the flags and variables that are set, without starting anything.',
    example: 'portcullis config check --config /etc/portcullis/portcullis.yaml',
    who: 'everybody; asks no service',
  });
  addConfigOptions(command);
  command.action(async () => {
    const { file } = await loadSettings(command, shell);
    say(shell, `${shownFrom(shell.cwd, file)}: the configuration can be started with`);
  });
}
