import { Command, type ErrorOptions } from 'commander';

/** A command that says below each mistake what to type instead. */
export class HintingCommand extends Command {
  override createCommand(name: string): Command {
    return new HintingCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    this.showHelpAfterError(`hint: ${hintFor(this, message, options?.code)}`);
    return super.error(message, options);
  }
}

function hintFor(command: Command, message: string, code: string | undefined): string {
  const [, named] = /'([^']+)'/.exec(message) ?? [];
  if (code === 'commander.missingMandatoryOptionValue') {
    const option = command.options.find(({ flags }) => flags === named);
    if (option) return `add ${option.long} "...": ${option.description}`;
  }
  if (code === 'commander.missingArgument') {
    const argument = command.registeredArguments.find((one) => one.name() === named);
    if (argument) return `${wordsOf(command)} <${argument.name()}>: ${argument.description}`;
  }
  return `${wordsOf(command)} --help lists what there is`;
}

/** The command as it is typed, its parents first. */
function wordsOf(command: Command): string {
  return command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name();
}
