import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../../policy/system-reason.js';
import { about } from '../about.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageError } from '../failure.js';
import { firstConfig, firstPolicies } from '../offline/first-files.js';
import { shownFrom } from '../offline/problems.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

interface Options {
  readonly ca?: string;
}

const CONFIG = 'portcullis.yaml';
const POLICIES = 'policy/example.yaml';
const KEY = 'keys/store.key';

/** Where the CA is expected when nobody says. */
const CA = 'ca.crt';

/** `init`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description: 'Write a first configuration, an example of policies, and the key of the store. Overwrites nothing.',
    example: 'portcullis init ./portcullis --ca /etc/pki/clients-ca.crt',
    who: 'everybody; asks no service',
  });
  command
    .argument('[dir]', 'where', '.')
    .option('--ca <file>', `the CA that issues client certificates; it is named, not copied (default: ./${CA})`);
  command.action(async (dir: string, { ca }: Options) => {
    const folder = resolve(shell.cwd, dir);
    const caFile = ca === undefined ? null : resolve(shell.cwd, ca);
    if (caFile !== null && !existsSync(caFile))
      throw usageError(`--ca: ${JSON.stringify(ca)} does not exist`, 'give the file with the CA certificate');
    assertNothingThere(folder, shell.cwd);
    await write(folder, caFile);
    tell(shell, folder, caFile);
  });
}

/** All or nothing: half a configuration from before and half a new one would be neither. */
function assertNothingThere(folder: string, cwd: string): void {
  const there = [CONFIG, POLICIES, KEY].map((name) => join(folder, name)).filter((file) => existsSync(file));
  if (there.length === 0) return;
  throw new Failure(EXIT.usage, [
    ...there.map((file) => `error: ${shownFrom(cwd, file)} is there already`),
    'hint: nothing was written; name another folder, or remove what is there (without its key a store is lost)',
  ]);
}

async function write(folder: string, ca: string | null): Promise<void> {
  const { createMacKey } = await import('../../store/mac-key.js');
  try {
    // The key first: a configuration that names a key which is not there is of no use, the other way round it is.
    mkdirSync(dirname(join(folder, KEY)), { recursive: true, mode: 0o700 });
    createMacKey(join(folder, KEY));
    mkdirSync(dirname(join(folder, POLICIES)), { recursive: true });
    writeFileSync(join(folder, POLICIES), firstPolicies(), { flag: 'wx' });
    writeFileSync(join(folder, CONFIG), firstConfig(ca === null ? `./${CA}` : shownFrom(folder, ca)), { flag: 'wx' });
  } catch (error) {
    throw usageError(`cannot write to ${JSON.stringify(folder)}: ${systemReason(error)}`);
  }
}

function tell(shell: Shell, folder: string, ca: string | null): void {
  const shown = (name: string) => shownFrom(shell.cwd, join(folder, name));
  const steps = [
    ...(ca === null ? [`put the CA of your clients' certificates into ${shown(CA)}`] : []),
    `say who may ask for what, and who approves, in ${shown(POLICIES)}`,
    `portcullis config check --config ${shown(CONFIG)}`,
    `portcullis serve --config ${shown(CONFIG)}`,
    `portcullis whoami --admin-socket ${shown('run/admin.sock')}`,
  ];
  say(shell, `wrote ${[CONFIG, POLICIES, KEY].map(shown).join(', ')}`);
  say(shell, 'next:');
  for (const [i, step] of steps.entries()) say(shell, `  ${i + 1}. ${step}`);
  say(shell, `keep ${shown(KEY)} safe and apart from backups of the data: without it the store cannot be read`);
}
