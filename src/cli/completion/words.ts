import type { Argument, Command, Option } from 'commander';

/** One command as a completion script knows it. */
export interface Completable {
  /** Its words behind the name of the program; none for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly commands: readonly Completable[];
  readonly flags: readonly Flag[];
  /** What may stand behind it without a flag. */
  readonly values: readonly string[];
  readonly takesFiles: boolean;
}

/** One option. */
export interface Flag {
  readonly names: readonly string[];
  readonly summary: string;
  /** What may follow it: nothing, words to choose from, the name of a file, or something that only the user knows. */
  readonly value:
    | { readonly kind: 'none' | 'file' | 'free' }
    | { readonly kind: 'choice'; readonly words: readonly string[] };
}

/** A command with everything below it. All of it must have been described. */
export function completable(command: Command, path: readonly string[] = []): Completable {
  const args = command.registeredArguments;
  return {
    path,
    summary: command.summary() || command.description(),
    commands: command.commands.map((below) => completable(below, [...path, below.name()])),
    // Also those that the help of the program leaves out for its length.
    flags: [...command.options.map(flagOf), HELP],
    values: args.flatMap(({ argChoices }) => argChoices ?? []),
    takesFiles: args.some(isFile),
  };
}

/** Every command of a tree, the program first. */
export function everyCommand(root: Completable): readonly Completable[] {
  return [root, ...root.commands.flatMap(everyCommand)];
}

const HELP: Flag = { names: ['-h', '--help'], summary: 'show what there is', value: { kind: 'none' } };

function flagOf({ short, long, description, argChoices, flags, required, optional }: Option): Flag {
  const names = [short, long].filter((name) => name !== undefined);
  if (!required && !optional) return { names, summary: description, value: { kind: 'none' } };
  if (argChoices) return { names, summary: description, value: { kind: 'choice', words: argChoices } };
  return { names, summary: description, value: { kind: FILE.test(flags) ? 'file' : 'free' } };
}

const FILE = /\b(?:file|dir|folder|path)>/;

function isFile(argument: Argument): boolean {
  return argument.name() === 'dir';
}
