import type { Command } from 'commander';
import type { Instant } from '../../domain/time.js';
import { about } from '../about.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { shownFrom } from '../offline/problems.js';
import { starting } from '../offline/start-errors.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

/** `config check`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Check the configuration and all that it names, as a start does before it opens anything: certificates, keys, policies.',
    example: 'portcullis config check --config /etc/portcullis/portcullis.yaml',
    who: 'whoever may read what the service reads; asks no service',
  });
  addConfigOptions(command, []);
  command.action(async () => {
    const { config, file } = await loadSettings(command, shell);
    const { prepareStart } = await import('../../main/preparation.js');
    const { warnings } = await starting(() => prepareStart(config, shell.time.wall() as Instant));
    for (const warning of warnings) say(shell, `warning: ${warning}`);
    say(shell, `${shownFrom(shell.cwd, file)}: the configuration can be started with`);
  });
}
