import { Argument, type Command } from 'commander';
import { about } from '../about.js';
import type { Tree } from '../commands.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { completable } from '../completion/words.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Shell } from '../shell.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `completion`. */
export function describe(command: Command, shell: Shell, tree: Tree): void {
  about(command, {
    description: 'Print a script that completes commands and options in your shell.',
    example: 'portcullis completion bash > ~/.local/share/bash-completion/completions/portcullis',
    who: 'everybody; asks no service',
  });
  command.addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SCRIPTS)));
  command.action(async (name: keyof typeof SCRIPTS) => {
    await tree.fill();
    shell.stdout.write(SCRIPTS[name](completable(tree.program)));
  });
}
