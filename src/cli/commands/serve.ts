import type { Command } from 'commander';
import { about } from '../about.js';
import { endingSignal } from '../ending-signal.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { addConfigOptions, loadSettings } from '../offline/settings.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';

/** What this command needs of the service while it runs. */
interface Running {
  readonly addresses: Readonly<Record<string, string>>;
  reloadPolicies(): Promise<readonly string[]>;
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
    // Heard before anything is opened: also a start that takes long can be ended.
    const signal = endingSignal(shell);
    const { config } = await loadSettings(command, shell);
    const [{ serve }, { createLog }] = await Promise.all([import('../../main.js'), import('../../main/log.js')]);
    const log = createLog({ level: config.log.level, version: shell.version });
    const running = await starting(() => serve({ config, log, version: shell.version, signal }));
    shell.signals.on('SIGHUP', () => void reload(running, shell));
    say(shell, `portcullis ${shell.version} answers: ${addressesOf(running)}`);
    const code = await running.ended;
    // The log has said why.
    if (code !== EXIT.done) throw new Failure(code, []);
  });
}

async function starting(start: () => Promise<Running>): Promise<Running> {
  try {
    return await start();
  } catch (error) {
    // By its name: the module it is from is loaded only together with the service.
    if (error instanceof Error && error.name === 'StartError') throw new Failure(EXIT.usage, linesOf(error));
    throw error;
  }
}

function linesOf(error: Error): readonly string[] {
  return 'lines' in error && Array.isArray(error.lines) ? error.lines.map(String) : [error.message];
}

/** What is wrong with the folder is in the log, where those look who sent the signal; here also for a terminal. */
async function reload(running: Running, shell: Shell): Promise<void> {
  try {
    const problems = await running.reloadPolicies();
    if (problems.length > 0) say(shell, 'the policies were not reloaded; those from before stay in force:');
    for (const problem of problems) say(shell, problem);
  } catch (error) {
    say(shell, `the policies were not reloaded: ${String(error)}`);
  }
}

function addressesOf({ addresses }: Running): string {
  return Object.entries(addresses)
    .map(([name, address]) => `${name} ${address}`)
    .join(', ');
}
