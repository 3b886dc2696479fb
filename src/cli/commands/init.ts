import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Instant } from '../../domain/time.js';
import { systemReason } from '../../policy/system-reason.js';
import { about } from '../about.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageError } from '../failure.js';
import { firstCertificates, type FirstFile } from '../offline/first-certificates.js';
import { firstConfig, firstPolicies } from '../offline/first-files.js';
import { whatNext } from '../offline/next-steps.js';
import { shownFrom } from '../offline/problems.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

interface Options {
  readonly ca?: string;
  readonly withCa?: boolean;
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
    example: 'portcullis init ./portcullis --with-ca',
    who: 'everybody; asks no service',
  });
  command
    .argument('[dir]', 'where', '.')
    .option(
      '--with-ca',
      'make a CA as well, and what it issues to the service, to Envoy and to three people, to begin with',
    )
    .option('--ca <file>', `the CA that issues client certificates; it is named, not copied (default: ./${CA})`);
  command.action(async (dir: string, { ca, withCa = false }: Options) => {
    if (withCa && ca !== undefined) throw usageError('--ca and --with-ca exclude each other', 'give one of them');
    const folder = resolve(shell.cwd, dir);
    const caFile = ca === undefined ? null : resolve(shell.cwd, ca);
    if (caFile !== null && !existsSync(caFile))
      throw usageError(`--ca: ${JSON.stringify(ca)} does not exist`, 'give the file with the CA certificate');
    const certificates = withCa ? await firstCertificates(shell.time.wall() as Instant) : [];
    assertNothingThere(folder, shell.cwd, [CONFIG, POLICIES, KEY, ...certificates.map(({ name }) => name)]);
    await write(folder, certificates, {
      ca: caFile === null ? `./${CA}` : shownFrom(folder, caFile),
      publicHost: withCa ? 'localhost' : null,
    });
    const shown = (name: string) => shownFrom(shell.cwd, join(folder, name));
    say(shell, `wrote ${[CONFIG, POLICIES, KEY].map(shown).join(', ')}`);
    for (const line of whatNext(shown, withCa ? 'made' : caFile === null ? 'missing' : 'named')) say(shell, line);
  });
}

/** All or nothing: half a configuration from before and half a new one would be neither. */
function assertNothingThere(folder: string, cwd: string, names: readonly string[]): void {
  const there = names.map((name) => join(folder, name)).filter((file) => existsSync(file));
  if (there.length === 0) return;
  throw new Failure(EXIT.usage, [
    ...there.map((file) => `error: ${shownFrom(cwd, file)} is there already`),
    'hint: nothing was written; name another folder, or remove what is there (without its key a store is lost)',
  ]);
}

async function write(
  folder: string,
  certificates: readonly FirstFile[],
  first: Parameters<typeof firstConfig>[0],
): Promise<void> {
  const { createMacKey } = await import('../../store/mac-key.js');
  try {
    // The key first: a configuration that names a key which is not there is of no use, the other way round it is.
    mkdirSync(dirname(join(folder, KEY)), { recursive: true, mode: 0o700 });
    createMacKey(join(folder, KEY));
    const texts = [
      ...certificates,
      { name: POLICIES, text: firstPolicies(), mode: 0o644 },
      { name: CONFIG, text: firstConfig(first), mode: 0o644 },
    ];
    for (const { name, text, mode } of texts) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text, { flag: 'wx', mode });
    }
  } catch (error) {
    throw usageError(`cannot write to ${JSON.stringify(folder)}: ${systemReason(error)}`);
  }
}
