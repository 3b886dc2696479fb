import { CommanderError, type Command } from 'commander';
import { GROUPS, type Entry, type Tree } from './commands.js';
import { addConnectionOptions } from './connection/options.js';
import { EXIT } from './exit-codes.js';
import { HintingCommand } from './hinting-command.js';
import { report } from './report.js';
import type { Shell } from './shell.js';

/** Runs one command line; `words` are what stands behind the name of the program. Never rejects. */
export async function run(shell: Shell, words: readonly string[]): Promise<number> {
  try {
    await createTree(shell).program.parseAsync(withoutHelpWord(words), { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // What the parser finds wrong it has said itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return report(error, shell);
  }
}

/** All commands, none of them described yet but for its name. */
export function createTree(shell: Shell): Tree {
  const program = new HintingCommand('portcullis');
  const pending = new Map<Command, () => Promise<void>>();
  const tree: Tree = {
    program,
    async fill() {
      for (const describe of pending.values()) await describe();
    },
  };

  function add(parent: Command, { name, summary, below }: Entry): void {
    const command = parent.command(name).summary(summary).description(summary);
    if (typeof below !== 'function') {
      addBelow(command, below);
      command.addHelpText('after', `\nportcullis ${name} <command> --help tells more about each.`);
      return;
    }
    pending.set(command, async () => {
      pending.delete(command);
      (await below()).describe(command, shell, tree);
    });
  }

  function addBelow(parent: Command, entries: readonly Entry[]): void {
    // What stands behind a command is that command's, even where the program has an option of the same name.
    parent.enablePositionalOptions().helpCommand(false);
    parent.hook('preSubcommand', (_, command) => pending.get(command)?.());
    for (const entry of entries) add(parent, entry);
  }

  addOutput(program, shell);
  program
    .description('Just-in-time access for connections that Envoy authenticates with mTLS')
    .usage('[connection] <command> [options]')
    .version(`portcullis ${shell.version}`, '-V, --version', 'print the version');
  addConnectionOptions(program, { hidden: true });
  program.addHelpText(
    'after',
    '\nportcullis <command> --help tells more about each. Connection options may stand before the command, too.',
  );
  addBelow(program, []);
  for (const { heading, entries } of GROUPS) {
    program.commandsGroup(heading);
    for (const entry of entries) add(program, entry);
  }
  return tree;
}

/** Everything goes through the shell, and nothing ends the process. */
function addOutput(program: Command, { stdout, stderr }: Shell): void {
  const width = () => Math.min(stdout.columns || 80, 100);
  program.exitOverride().configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    getOutHelpWidth: width,
    getErrHelpWidth: width,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
}

/** `help request` is `request --help`. */
function withoutHelpWord([first, ...rest]: readonly string[]): string[] {
  if (first === 'help') return [...rest, '--help'];
  return first === undefined ? [] : [first, ...rest];
}
