import { stdin } from 'node:process';
import { printHostPort, type HostPort } from '../../policy/host-port.js';
import type { Client } from '../api/client.js';
import { endingSignal } from '../ending-signal.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { say, writeLine } from '../output/print.js';
import { relativeTime } from '../output/times.js';
import type { Shell } from '../shell.js';
import { obtainAccess, standingOf, type Wish } from './access.js';
import { filledIn, runChild, type CommandWords } from './child.js';
import { createEvidence } from './evidence.js';
import { openLocalPort } from './local-port.js';
import { wayTo } from './place.js';
import { createSessions, type Sessions } from './sessions.js';
import { closeDescriptorOne, standardEnd } from './stdio.js';
import { createTelling, type Telling } from './telling.js';
import { createVerdicts } from './verdicts.js';
import { watchEnd } from './warn.js';
import type { Via } from './way.js';

/** How the near end is offered. */
export type Mode =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'listen'; readonly at: HostPort }
  | { readonly kind: 'command'; readonly at: HostPort; readonly words: CommandWords };

interface Connecting {
  readonly client: Client;
  readonly shell: Shell;
  readonly resource: string;
  readonly via: Via;
  readonly mode: Mode;
  readonly wish: Wish;
}

/**
 * Gets access, then carries what the mode says until it is over.
 *
 * @throws {Failure} for every end that is no success, a command's own exit code included
 */
export async function connect({ client, shell, resource, via, mode, wish }: Connecting): Promise<void> {
  const way = await wayTo(via, client, resource);
  const standing = standingOf(client, resource, via.cert);
  const { endsAt } = await obtainAccess(client, shell, standing, wish);
  if (endsAt !== null) say(shell, `access to ${resource} ends ${relativeTime(endsAt, shell.time.wall())} (${endsAt})`);
  const telling = createTelling(standing, shell, { quiet: mode.kind === 'stdio' });
  const sessions = createSessions({
    way,
    standing,
    verdicts: createVerdicts(standing, shell.time),
    evidence: createEvidence(client, resource, shell.time),
    time: shell.time,
    failed: (how) => telling.failed(how),
  });
  const over = new AbortController();
  if (endsAt !== null)
    void watchEnd({
      standing,
      endsAt,
      shell,
      signal: over.signal,
      ended: (explained) => telling.ended(explained, sessions),
    });
  try {
    await carryAs(mode, { shell, resource, sessions, telling });
  } finally {
    over.abort();
    sessions.close();
  }
}

interface Carrying {
  readonly shell: Shell;
  readonly resource: string;
  readonly sessions: Sessions;
  readonly telling: Telling;
}

function carryAs(mode: Mode, carrying: Carrying): Promise<void> {
  switch (mode.kind) {
    case 'stdio':
      return overStandard(carrying);
    case 'listen':
      return overPort(mode.at, carrying);
    case 'command':
      return forCommand(mode, carrying);
  }
}

async function overStandard({ shell: { stdout }, sessions, telling }: Carrying): Promise<void> {
  await sessions.open(standardEnd({ stdin, stdout, closeStdout: closeDescriptorOne }));
  const failure = telling.last();
  if (failure) throw failure;
}

/** Until the process is told to end, or there is no access any more. Sessions are not ended here: Envoy does that. */
async function overPort(at: HostPort, { shell, resource, sessions, telling }: Carrying): Promise<void> {
  const ending = endingSignal(shell);
  const told = new Promise<'told'>((resolve) => ending.addEventListener('abort', () => resolve('told')));
  const port = await openLocalPort(at, (near) => void sessions.open(near));
  say(shell, `${resource} is at ${printHostPort(port.at)}`);
  writeLine(shell.stdout, printHostPort(port.at));
  try {
    if ((await Promise.race([told, telling.accessOver])) === 'told') return;
  } finally {
    port.close();
  }
  await Promise.race([told, sessions.idle()]);
  // It has been told already.
  throw new Failure(telling.last()?.exitCode ?? EXIT.notPermitted, []);
}

async function forCommand(
  { at, words }: Extract<Mode, { kind: 'command' }>,
  { shell, sessions }: Carrying,
): Promise<void> {
  const port = await openLocalPort(at, (near) => void sessions.open(near));
  try {
    const code = await runChild(filledIn(words, port.at), shell);
    // What was cut is told before the end.
    await sessions.judged();
    if (code !== 0) throw new Failure(code, []);
  } finally {
    port.close();
  }
}
