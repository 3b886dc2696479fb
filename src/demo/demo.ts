import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Instant } from '../domain/time.js';
import { commandsFor } from './commands.js';
import { findEnvoy } from './find-envoy.js';
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
  readonly program: readonly [string, ...string[]];
  /** How the program is called in what the user is shown. */
  readonly shown: string;
  readonly signal: AbortSignal;
  readonly now: Instant;
  readonly say: (line: string) => void;
}

/**
 * Shows the main job on this machine: a demo CA, the service, two upstreams, and Envoy in front of them. Resolves with the
 * exit code when the tour is over or the user ends it; nothing is left running then, and nothing behind but the folder.
 */
export async function runDemo(given: DemoGiven): Promise<number> {
  const { tour, version, now, say, signal } = given;
  const envoy = await findEnvoy({ ...given.envoy, progress: say });
  if (envoy.kind === 'none') {
    say(envoy.advice);
    if (tour) return NO_ENVOY;
    say('going on without Envoy: requests and reviews work, but there is nothing to be let through.');
  }
  const stage = await openStage({ folder: folderFor(given.folder), version, envoy, now });
  try {
    if (tour) return await playTour(stage, given);
    tell(stage, given);
    await ending(stage, signal);
    return 0;
  } finally {
    await stage.close();
    say(`ended; what it wrote lies in ${stage.scene.folder}`);
  }
}

const NO_ENVOY = 1;

function tell({ scene, envoy }: Stage, { shown, say }: DemoGiven): void {
  const { curl, request, approve } = commandsFor(scene, shown);
  if (envoy) say(`1  refused:   ${curl}`);
  say(`2  ask:       ${request('1m')}`);
  say(`3  approve:   ${approve}`);
  if (envoy) {
    say(`4  allowed:   ${curl}`);
    say('5  refused again when the minute is over: the same command');
  }
  say(`Everything lies in ${scene.folder}. Ctrl-C ends it.`);
}

/** Until the user has had enough, or a part has ended by itself. */
async function ending({ service, envoy }: Stage, signal: AbortSignal): Promise<void> {
  const asked = new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  await Promise.race([asked, service.ended, ...(envoy ? [envoy.ended] : [])]);
}

function folderFor(wanted: string | null): string {
  if (wanted === null) return mkdtempSync(join(tmpdir(), 'portcullis-demo-'));
  const folder = resolve(wanted);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty; name another folder or remove it`);
  return folder;
}
