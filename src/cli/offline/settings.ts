import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Config } from '../../config.js';
import { flagOf, SETTINGS, type Setting } from '../../config/settings.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import { printProblemsFrom } from './problems.js';

/** Adds `--config` and a flag for every setting. */
export function addConfigOptions(command: Command): void {
  command.option('--config <file>', 'the configuration (default: ./portcullis.yaml)');
  for (const setting of SETTINGS)
    command.addOption(new Option(`${flagOf(setting)} <value>`, `in place of ${setting.name}`).helpGroup('Settings:'));
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
