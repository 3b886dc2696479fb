import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { about } from '../about.js';
import { endingSignal } from '../ending-signal.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { starting } from '../offline/start-errors.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

interface Reloaded {
  readonly outcome: 'loaded' | 'refused' | 'unsettled' | 'postponed';
  readonly problems: readonly string[];
}

/** What this command needs of the service while it runs. */
interface Running {
  readonly addresses: Readonly<Record<string, string>>;
  reloadPolicies(): Promise<Reloaded>;
  /** The exit code. */
  readonly ended: Promise<number>;
}

/** `serve`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Run the service until SIGTERM or SIGINT; a second one ends it at once. SIGHUP reads the policy folder again.',
    example: 'portcullis serve --config /etc/portcullis/portcullis.yaml',
    who: 'the user that the service runs as',
  });
  addConfigOptions(command);
  command.action(async () => {
    // Collects sooner than by default: half the memory at nearly the same throughput, see docs/benchmarks.md.
    setFlagsFromString('--heap-growing-percent=60');
    // The young generation by one thread: to share out a few megabytes costs more than it saves.
    setFlagsFromString('--no-parallel-scavenge');
    // Heard before anything is opened: also a start that takes long can be ended.
    const signal = endingSignal(shell);
    const hangups = heardFromNow(shell);
    const { config } = await loadSettings(command, shell);
    const [{ serve }, { createLog }] = await Promise.all([import('../../main.js'), import('../../main/log.js')]);
    const log = createLog({ level: config.log.level, version: shell.version });
    const running: Running = await starting(() => serve({ config, log, version: shell.version, signal }));
    say(shell, `portcullis ${shell.version} answers: ${addressesOf(running)}`);
    hangups(() => void reload(running, shell));
    const code = await running.ended;
    // The log has said why.
    if (code !== EXIT.done) throw new Failure(code, []);
  });
}

/** Unheard, SIGHUP ends a process. One that comes before `hear` is known is passed on then: the folder may have been read already. */
function heardFromNow({ signals }: Shell): (hear: () => void) => void {
  let missed = false;
  let pass = () => {
    missed = true;
  };
  signals.on('SIGHUP', () => pass());
  return (hear) => {
    pass = hear;
    if (missed) hear();
  };
}

/** What is wrong with the folder is in the log, where those look who sent the signal; here also for a terminal. */
async function reload(running: Running, shell: Shell): Promise<void> {
  try {
    const { outcome, problems } = await running.reloadPolicies();
    if (outcome !== 'loaded') for (const line of [HEADING[outcome], ...problems]) say(shell, line);
  } catch (error) {
    say(shell, `the policies were not reloaded: ${String(error)}`);
  }
}

const HEADING = {
  refused: 'the policies were not reloaded; those from before stay in force:',
  unsettled: 'the new policies are in force, but that cannot be written down yet; it is tried again:',
  postponed: 'the policies are reloaded as soon as those in force can be written down:',
} as const satisfies Record<Exclude<Reloaded['outcome'], 'loaded'>, string>;

function addressesOf({ addresses }: Running): string {
  return Object.entries(addresses)
    .map(([name, address]) => `${name} ${address}`)
    .join(', ');
}
