import type { Instant } from '../domain/time.js';
import { commandsFor } from './commands.js';
import { findEnvoy } from './find-envoy.js';
import { makeFolder } from './folder.js';
import { listSessions } from './list-sessions.js';
import { quoted, shownAs, type Calling } from './shown.js';
import { openStage, type Stage } from './stage.js';
import { playTour } from './tour.js';

export interface DemoGiven {
  /** Play the tour and end, instead of waiting for the user to. */
  readonly tour: boolean;
  /** Where everything lies; null: a new folder among the temporary ones. */
  readonly folder: string | null;
  readonly version: string;
  /** The Envoy that the user names (`ENVOY_BIN`), where to look for others, and where one may be installed. */
  readonly envoy: { readonly given: string | null; readonly path: string; readonly cache: string };
  /** How to run this program as another process: the tour plays with the real command line. */
  readonly calling: Calling;
  readonly signal: AbortSignal;
  readonly now: Instant;
  readonly say: (line: string) => void;
}

/**
 * Shows the main job on this machine: a demo CA, the service, two upstreams, and Envoy in front of them. Resolves with the
 * exit code when the tour is over or the user ends it; nothing is left running then, and nothing behind but the folder.
 *
 * @throws {UnusableFolderError}
 */
export async function runDemo(given: DemoGiven): Promise<number> {
  const { tour, version, now, say, signal } = given;
  const envoy = await findEnvoy({ ...given.envoy, progress: say });
  if (envoy.kind === 'none') {
    say(envoy.advice);
    if (tour) return NO_ENVOY;
    say('going on without Envoy: requests and reviews work, but there is nothing to be let through.');
  }
  const stage = await openStage({ folder: makeFolder(given.folder), version, envoy, now });
  const shown = shownAs(given.calling);
  try {
    if (tour) return await playTour(stage, { ...given, shown });
    tell(stage, shown, say);
    const over = ending(stage, signal);
    if (stage.envoy) void tellHowToRevoke(stage, { shown, say, over });
    await over;
    return 0;
  } finally {
    await stage.close();
    const folder = quoted(stage.scene.folder);
    say(`ended; what it wrote, with the keys of its people, lies in ${folder}`);
    say(`when you have seen enough: rm -r ${folder}`);
  }
}

const NO_ENVOY = 1;

function tell({ scene, envoy }: Stage, shown: string, say: DemoGiven['say']): void {
  const { curl, request, approve, connect, sessions } = commandsFor(scene, shown);
  say('Paste these into another terminal, from any folder:');
  if (envoy) say(`1  refused:   ${curl}`);
  say(`2  ask:       ${request('1m')}`);
  say(`3  approve:   ${approve}`);
  if (envoy) {
    say(`4  allowed:   ${curl}`);
    say('5  refused again when its minute is over: the same command');
    say('A raw TCP session, and how it is cut:');
    say(`6  connect:   ${connect}`);
    say('   it asks and waits: approve it from one more terminal, with line 3');
    say(`7  watch:     ${sessions}`);
    say('8  revoke:    the command comes here as soon as she is connected');
  }
  say(`Everything lies in ${scene.folder}. Ctrl-C ends it.`);
}

interface Watching {
  readonly shown: string;
  readonly say: DemoGiven['say'];
  readonly over: Promise<void>;
}

const LOOK_MS = 1_000;

/** A grant's id is not known before there is one: for each that something runs under, the command that ends it. */
async function tellHowToRevoke({ scene }: Stage, { shown, say, over }: Watching): Promise<void> {
  const { revoke } = commandsFor(scene, shown);
  const told = new Set<string>();
  const pause = () => new Promise<'again'>((resolve) => setTimeout(resolve, LOOK_MS, 'again').unref());
  while ((await Promise.race([over, pause()])) === 'again') {
    for (const { grantId } of await listSessions(scene, { state: 'live', resource: 'orders-db' }).catch(() => [])) {
      if (!told.has(grantId)) say(`8  revoke:    ${revoke(grantId)}`);
      told.add(grantId);
    }
  }
}

/** Until the user has had enough, or a part has ended by itself. */
async function ending({ service, envoy }: Stage, signal: AbortSignal): Promise<void> {
  const asked = new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  await Promise.race([asked, service.ended, ...(envoy ? [envoy.ended] : [])]);
}
