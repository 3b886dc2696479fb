import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Config } from '../../config.js';
import { flagOf, SETTINGS, type Setting } from '../../config/settings.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import { printProblemsFrom } from './problems.js';
import { helpOf, inHelpOrder } from './setting-help.js';

/**
 * Adds `--config` and a flag for every setting. The help shows those of `matter`, by the beginnings of their names; where that
 * is not said, all that mean something on the command line.
 */
export function addConfigOptions(command: Command, matter: readonly string[] = ['']): void {
  const more = matter.includes('') ? '' : '; every setting is a flag, too: see portcullis serve --help';
  command.option('--config <file>', `the configuration (default: ./portcullis.yaml)${more}`);
  for (const setting of inHelpOrder(SETTINGS)) {
    const help = helpOf(setting);
    const isShown = help !== null && matter.some((start) => setting.name.startsWith(start));
    const { value, what } = help ?? { value: 'value', what: `in place of ${setting.name}` };
    const option = new Option(`${flagOf(setting)} <${value}>`, what);
    command.addOption(option.helpGroup(help?.group ?? 'Settings:').hideHelp(!isShown));
  }
}

/** The configuration that `--config`, flags and variables come to, and the file it is in. */
export interface Loaded {
  readonly config: Config;
  readonly file: string;
}

/** @throws {Failure} with every problem and its place */
export async function loadSettings(command: Command, { env, cwd }: Pick<Shell, 'env' | 'cwd'>): Promise<Loaded> {
  const { loadConfig } = await import('../../config.js');
  const file = resolve(
    cwd,
    command.opts<{ config?: string }>().config ?? (env['PORTCULLIS_CONFIG'] || 'portcullis.yaml'),
  );
  const loaded = loadConfig({ file, env, overrides: overridesOf(command) });
  if (loaded.ok) return { config: loaded.value, file };
  throw new Failure(EXIT.usage, printProblemsFrom(cwd, loaded.problems));
}

function overridesOf(command: Command): Record<string, string> {
  const given = SETTINGS.flatMap((setting) => {
    const value: unknown = command.getOptionValue(attributeOf(setting));
    return typeof value === 'string' ? [[setting.name, value] as const] : [];
  });
  return Object.fromEntries(given);
}

/** What the parser of the command line calls the value of a flag. */
function attributeOf(setting: Setting): string {
  return new Option(`${flagOf(setting)} <value>`).attributeName();
}
