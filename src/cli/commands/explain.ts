import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../../policy/system-reason.js';
import { about } from '../about.js';
import { decision as decisionShape, explanation, whoami } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { idOf } from '../arguments.js';
import type { Connection } from '../connection/connection.js';
import { addConnectionOptions } from '../connection/options.js';
import { decisionCard } from '../decisions/card.js';
import { explanationCard } from '../decisions/explanation-card.js';
import { usageError } from '../failure.js';
import { addFormatOption, printOne, type Printing } from '../output/print.js';
import { withService } from '../service.js';
import type { Shell } from '../shell.js';

interface Asked {
  readonly cert?: string | undefined;
  readonly subject?: string | undefined;
  readonly resource?: string | undefined;
  readonly authority?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly source?: string | undefined;
  readonly upgrade?: true | undefined;
}

interface Options extends Printing, Asked {
  readonly decision?: string;
}

/** Here `--cert` is what is asked about; who asks is said before the command, or in another way. */
const OWN = { except: 'cert' } as const;

/** `explain`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Explain what would be decided now, and why; or what was decided. About yourself, unless you name somebody. Changes nothing.',
    example: 'portcullis explain --resource orders-db',
    who: 'everybody about their own subjects; auditors, operators and the host about all',
  });
  command
    .option('--cert <file>', 'about this client certificate (PEM); your own stands before the command')
    .option('--subject <subject>', 'about this subject')
    .option('--decision <id>', 'about this decision, as Envoy logged it', idOf('dec'))
    .option('--resource <name>', 'for this resource')
    .option('--authority <host>', 'for the resource that is reached under this host')
    .option('--method <method>', 'for this HTTP method; with --path')
    .option('--path <path>', 'for this HTTP path; with --method')
    .option('--source <address>', 'for a client that connects from this address (default: the one it takes)')
    .option('--upgrade', 'for an upgrade, as for WebSocket; with --method and --path');
  addFormatOption(command);
  addConnectionOptions(command, OWN);
  command.action(async (options: Options) => {
    const { output, decision } = options;
    // Only these: the options of the connection stand among them.
    const asked = askedOf(options);
    if (decision !== undefined) {
      assertAlone(asked);
      return withService(
        command,
        shell,
        async (client) => {
          const found = await client.get({ path: ['v1', 'decisions', decision], shape: decisionShape });
          await printOne(shell, { output }, found, decisionCard(found));
        },
        OWN,
      );
    }
    const question = questionOf(asked, shell.cwd);
    return withService(
      command,
      shell,
      async (client, connection) => {
        const body = isAboutSomebody(asked) ? question : { ...question, ...(await ownself(client, connection)) };
        const explained = await client.send({ path: ['v1', 'explain'], body, shape: explanation, once: false });
        await printOne(shell, { output }, explained, explanationCard(explained, shell.time.wall()));
      },
      OWN,
    );
  });
}

function assertAlone(asked: Asked): void {
  if (Object.values(asked).some((value) => value !== undefined))
    throw usageError('--decision names everything by itself', 'leave out the other options, or ask without --decision');
}

function askedOf({ cert, subject, resource, authority, method, path, source, upgrade }: Options): Asked {
  return { cert, subject, resource, authority, method, path, source, upgrade };
}

function isAboutSomebody({ cert, subject }: Asked): boolean {
  return cert !== undefined || subject !== undefined;
}

/** Whoever calls: with the certificate all that it says, its key included, since a grant may be bound to that. */
async function ownself(client: Client, { tls }: Connection): Promise<object> {
  const certificate = leafIn(tls.cert ?? '');
  if (certificate !== null) return { certificate };
  const { name, subjects } = await client.get({ path: ['v1', 'whoami'], shape: whoami });
  if (subjects.length === 1) return { subject: subjects[0] };
  throw usageError(
    subjects.length === 0
      ? `${name} has no subject of its own`
      : `${name} has several subjects: ${subjects.join(', ')}`,
    'say whom it is about with --subject, or with --cert',
  );
}

function questionOf({ cert, subject, resource, authority, method, path, source, upgrade }: Asked, cwd: string) {
  if (cert !== undefined && subject !== undefined) throw usageError('give one of --cert and --subject, not both');
  assertOne({ '--resource': resource, '--authority': authority });
  if ((method === undefined) !== (path === undefined) || (upgrade && method === undefined))
    throw usageError('--method and --path go together, and --upgrade only with them');
  return {
    certificate: cert === undefined ? undefined : readLeaf(resolve(cwd, cert)),
    subject,
    resource,
    authority,
    method,
    path,
    source,
    upgrade,
  };
}

function assertOne(alternatives: Readonly<Record<string, string | undefined>>): void {
  const given = Object.values(alternatives).filter((value) => value !== undefined);
  if (given.length !== 1) throw usageError(`give exactly one of ${Object.keys(alternatives).join(', ')}`);
}

/** The first certificate of a file: in a chain that is the leaf, and only the leaf says who somebody is. */
function readLeaf(file: string): string {
  const leaf = leafIn(readText(file));
  if (leaf === null) throw usageError(`--cert: ${JSON.stringify(file)} holds no certificate in PEM`);
  return leaf;
}

function leafIn(pem: string): string | null {
  const [leaf] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem) ?? [];
  return leaf === undefined ? null : `${leaf}\n`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(`--cert: cannot read ${JSON.stringify(file)}: ${systemReason(error)}`);
  }
}
