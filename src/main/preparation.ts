import { existsSync, readFileSync } from 'node:fs';
import type { Config, TrustSource } from '../config/structure.js';
import type { Instant } from '../domain/time.js';
import { createIdentifier, type Identifier } from '../identity/identify.js';
import { loadIssuers } from '../identity/issuers.js';
import { checkFolder, statfs } from '../store/folder.js';
import { readMacKey } from '../store/mac-key.js';
import { openPolicies, type OpenedPolicies } from './policies.js';
import { StartError } from './start-error.js';
import { assertServes, timeOfFile } from './tls-files.js';
import { timeProblem } from './validity.js';

/** What the service works with, read from the files that its configuration names. */
export interface Preparation {
  readonly identifier: Identifier;
  readonly policies: OpenedPolicies;
  readonly macKey: Buffer;
  /** What looks wrong and keeps nothing from starting. */
  readonly warnings: readonly string[];
}

/**
 * Reads and judges everything before anything is opened or written: `serve` starts with it, and `config check` is it.
 *
 * @throws {StartError} with everything that is in the way, each line naming the setting that it is about
 */
export async function prepareStart(config: Config, now: Instant): Promise<Preparation> {
  const judged = new Judged(now);
  judged.warnings.push(...ofConfiguration(config));
  await checkListeners(config, judged);
  const identifier = await openTrust(config, judged);
  const macKey = await judged.attempt('storage.macKey', () => readKey(config));
  const { allowVolatile } = config.storage;
  await judged.attempt('data', () => checkFolder(config.data, { allowVolatile, ask: statfs }));
  const policies = await judged.attempt('policy', () => openPolicies(config));
  checkEnvoy(config, judged);
  const { problems, warnings } = judged;
  if (identifier === null || macKey === null || policies === null || problems.length > 0)
    throw new StartError(problems);
  return { identifier, policies, macKey, warnings: [...warnings, ...policies.warnings] };
}

/** What has been found so far. */
class Judged {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly now: Instant;

  constructor(now: Instant) {
    this.now = now;
  }

  /** Null where it does not work; why not is among the problems then. */
  async attempt<T>(setting: string, work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const lines = error instanceof StartError ? error.lines : [`${setting}: ${(error as Error).message}`];
      this.problems.push(...lines);
      return null;
    }
  }
}

async function checkListeners({ listen }: Config, judged: Judged): Promise<void> {
  for (const [name, { tls }] of Object.entries(listen)) {
    const setting = `listen.${name}.tls`;
    await judged.attempt(setting, () => {
      if (tls === null) return;
      assertServes(tls);
      judged.warnings.push(...ofTime(setting, tls.cert, judged.now, 'renew it, then start the service again'));
    });
  }
}

async function openTrust(config: Config, judged: Judged): Promise<Identifier | null> {
  const trust = config.trust.map(async ({ ca, ...entry }) => {
    const text = await judged.attempt('trust', () => readCa({ ca, ...entry }, judged));
    return text === null ? [] : [{ entry, ca: text }];
  });
  const read = (await Promise.all(trust)).flat();
  if (read.length < config.trust.length) return null;
  return judged.attempt('trust', () => createIdentifier({ trust: read, capacity: REMEMBERED }));
}

/** Certificates whose identity is remembered: about 2 KiB each. */
const REMEMBERED = 10_000;

/** Valid, and still hardly what was meant. */
function ofConfiguration({ listen, trust }: Config): string[] {
  const nameless = trust.filter(({ names }) => names === null).map(({ name }) => name);
  return [
    ...(listen.admin.tls === null
      ? [
          'listen.admin: without tls people can neither ask nor review, because certificates need it; ' +
            'set listen.admin to { address, tls: { cert, key } }',
        ]
      : []),
    ...nameless.map(
      (name) =>
        `trust: ${JSON.stringify(name)} has no names, so its CAs may speak for every name there is; ` +
        'set names to what they issue, such as ["spiffe://corp/**"]',
    ),
  ];
}

function ofTime(setting: string, file: string, now: Instant, advice: string): string[] {
  const problem = timeOfFile(file, now);
  return problem === null ? [] : [`${setting}: the certificate in ${JSON.stringify(file)} ${problem}; ${advice}`];
}

function readCa({ name, ca }: TrustSource, { now, warnings }: Judged): string {
  const text = readFileSync(ca, 'utf8');
  for (const issuer of loadIssuers(name, text)) {
    const problem = timeProblem(issuer, now);
    const which = `trust: a CA of ${JSON.stringify(name)} in ${JSON.stringify(ca)}`;
    if (problem !== null)
      warnings.push(`${which} ${problem}; outside of its time none of its certificates is believed`);
  }
  return text;
}

function readKey({ data, storage: { macKey } }: Config): Buffer {
  if (macKey === null) throw new Error('expected the file with the key of the records; portcullis init makes one');
  return readMacKey(macKey, data);
}

/** These files may lie elsewhere: what is here is looked at, and nothing of it is needed to start. */
function checkEnvoy({ envoy: { tls } }: Config, { now, warnings }: Judged): void {
  if (tls === null || !existsSync(tls.cert) || !existsSync(tls.key)) return;
  try {
    assertServes(tls);
    warnings.push(...ofTime('envoy.tls', tls.cert, now, 'renew it, then start Envoy again'));
  } catch (error) {
    warnings.push(`envoy.tls: ${(error as Error).message}`);
  }
}
