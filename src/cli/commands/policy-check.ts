import { resolve } from 'node:path';
import type { Command } from 'commander';
import { NAME, type TrustName } from '../../domain/names.js';
import { about } from '../about.js';
import { collect } from '../arguments.js';
import { Failure, usageError } from '../failure.js';
import { loadPolicies } from '../offline/policies.js';
import { shownFrom } from '../offline/problems.js';
import { loadSettings } from '../offline/settings.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

interface Options {
  readonly trust?: readonly string[];
}

/** `policy check`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Check the policy folder: that of the configuration, or another.',
    example: 'portcullis policy check ./policy --trust corp',
    who: 'everybody; asks no service',
  });
  command
    .argument('[dir]', 'the policy folder (default: that of the configuration)')
    .option('--config <file>', 'the configuration (default: ./portcullis.yaml)')
    .option('--trust <name>', 'a trust entry, in place of a configuration; may be repeated', collect);
  command.action(async (dir: string | undefined, { trust }: Options) => {
    const { folder, names } = trust ? withoutConfig(dir, trust, shell.cwd) : await fromConfig(dir, command, shell);
    const { policies, resources, directory, digest } = await loadPolicies(folder, names, shell);
    const counts = `${policies.size} policies, ${resources.size} resources, ${directory.subjectsOf.size} people`;
    say(shell, `${shownFrom(shell.cwd, folder)}: ${counts}, digest ${digest.slice(0, 12)}`);
  });
}

interface Checked {
  readonly folder: string;
  readonly names: readonly TrustName[];
}

function withoutConfig(dir = 'policy', trust: readonly string[], cwd: string): Checked {
  const wrong = trust.find((name) => !NAME.test(name));
  if (wrong !== undefined) throw usageError(`--trust: expected a name such as corp, got ${JSON.stringify(wrong)}`);
  return { folder: resolve(cwd, dir), names: trust as readonly TrustName[] };
}

async function fromConfig(dir: string | undefined, command: Command, shell: Shell): Promise<Checked> {
  const { config } = await loadSettings(command, shell).catch((error: unknown) => {
    throw error instanceof Failure && dir !== undefined ? withTrustHint(error) : error;
  });
  return {
    folder: dir === undefined ? config.policy : resolve(shell.cwd, dir),
    names: config.trust.map(({ name }) => name),
  };
}

/** Who names a folder may have no configuration at all. */
function withTrustHint(error: Failure): Failure {
  const hint = 'hint: --trust NAME names a trust entry, in place of a configuration';
  return new Failure(error.exitCode, [...error.lines, hint], { cause: error });
}
