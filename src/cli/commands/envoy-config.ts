import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { EnvoyConfig } from '../../envoy-config/generate.js';
import { systemReason } from '../../policy/system-reason.js';
import { about } from '../about.js';
import { usageError } from '../failure.js';
import { envoyOptions, type EnvoyFlags } from '../offline/envoy-options.js';
import { loadPolicies } from '../offline/policies.js';
import { shownFrom } from '../offline/problems.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

interface Options extends EnvoyFlags {
  readonly out: string;
}

/** `envoy config`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: "Write Envoy's configuration for the resources of the policy folder. What is not new is left alone.",
    example: 'portcullis envoy config --out ./envoy',
    who: 'everybody; asks no service',
  });
  command
    .requiredOption('--out <dir>', 'the folder to write to; Envoy watches it')
    .option('--folder <dir>', 'that folder as Envoy finds it (default: --out)')
    .option('--client-ca <file>', 'CAs of all trust entries, as Envoy finds them; needed where there are several')
    .option('--authz <host:port>', 'where Envoy asks the service (default: listen.authz)')
    .option('--guard <host:port>', 'where the guards in Envoy keep contact with it (default: listen.guard)')
    .option('--service-ca <file>', "CA of the service's certificate, as Envoy finds it; needed over TCP")
    .option('--service-cert <file>', 'what Envoy shows to the service; needed over TCP')
    .option('--service-key <file>', 'its private key; needed over TCP')
    .option('--service-name <name>', "the name in the service's certificate; needed over TCP");
  addConfigOptions(command, ['envoy.', 'policy', 'gate']);
  command.action(async (options: Options) => {
    const { config } = await loadSettings(command, shell);
    const policies = await loadPolicies(
      config.policy,
      config.trust.map(({ name }) => name),
      shell,
    );
    const out = resolve(shell.cwd, options.out);
    const { generateEnvoyConfig } = await import('../../envoy-config/generate.js');
    const generated = generateEnvoyConfig(
      policies.resources.values(),
      envoyOptions(config, policies, { ...options, folder: options.folder ?? out }),
    );
    const where = shownFrom(shell.cwd, out);
    const written = await write(out, generated, where);
    for (const note of generated.notes) say(shell, `note: ${note}`);
    if (written.length === 0) return say(shell, `${where}: nothing has changed`);
    say(shell, `${where}: wrote ${written.join(', ')}`);
    say(shell, 'note: Envoy sees this by itself; a service that runs reads the policy folder when it is sent SIGHUP');
  });
}

async function write(folder: string, generated: EnvoyConfig, where: string): Promise<readonly string[]> {
  const { writeEnvoyConfig } = await import('../../envoy-config/write.js');
  const { readGuard } = await import('../../envoy-config/guard-file.js');
  const guard = await readGuard();
  try {
    return await writeEnvoyConfig(folder, generated, guard);
  } catch (error) {
    throw usageError(`cannot write to ${where}: ${systemReason(error)}`);
  }
}
