import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Home as WholeHome } from '../scene/home.js';
import { ROOT } from '../scene/cache.js';
import { startChild, until, type Child } from './process.js';

/** What is served from. */
type Home = Pick<WholeHome, 'folder' | 'file'>;

/** The service as it is built, serving a home. */
export interface ServiceChild extends Child {
  readonly socket: string;
  /** Checks answered so far, by what it counts itself. */
  answered(): Promise<{ readonly allow: number; readonly deny: number }>;
  /** Everything that it counts, as Prometheus reads it. */
  metrics(): Promise<string>;
  /** Until it has looked at every record once, which it does beside everything else after each start. */
  verified(): Promise<void>;
}

export interface ServiceOptions {
  readonly core: number | null;
  /** Another checkout with its own build, to compare with. */
  readonly checkout?: string;
  readonly nodeArgs?: readonly string[];
  /** Besides `serve --config`. */
  readonly args?: readonly string[];
  readonly log?: string;
}

const START_MS = 60_000;
const VERIFY_MS = 15 * 60_000;

/** What is run, and with which arguments; the service as anybody starts it. */
export function serviceCommand(
  home: Home,
  { checkout = ROOT, nodeArgs = [], args = [] }: Partial<ServiceOptions> = {},
) {
  const program = join(checkout, 'bin/portcullis.js');
  if (!existsSync(join(checkout, 'dist/bundle/main.js'))) {
    throw new Error(`${JSON.stringify(checkout)} has not been built; run there: npm run build`);
  }
  return {
    command: process.execPath,
    args: [...nodeArgs, program, 'serve', '--config', home.file('portcullis.yaml'), ...args],
  };
}

/** Starts it and waits until it answers. */
export async function startService(home: Home, options: ServiceOptions): Promise<ServiceChild> {
  const { core, log = 'service' } = options;
  const logFile = home.file(`log/${log}.log`);
  const child = startChild({ ...serviceCommand(home, options), cwd: home.folder, logFile, core });
  const said = (what: string) => {
    child.assertRunning();
    return child.written().includes(what);
  };
  await until(() => said('portcullis'), 'the service', START_MS);
  return {
    ...child,
    socket: home.file('run/authz.sock'),
    answered: async () => answeredIn(await metricsAt(home.file('run/metrics.sock'))),
    metrics: () => metricsAt(home.file('run/metrics.sock')),
    verified: () => until(() => said('every record of the store is sound'), 'the end of the verification', VERIFY_MS),
  };
}

function metricsAt(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/metrics', agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve(text));
    });
    call.on('error', reject);
    call.end();
  });
}

function answeredIn(text: string): { readonly allow: number; readonly deny: number } {
  const count = (decision: string) =>
    [...text.matchAll(new RegExp(`^portcullis_checks_total\\{[^}]*decision="${decision}"[^}]*\\} (\\d+)`, 'gm'))]
      .map(([, value]) => Number(value))
      .reduce((sum, value) => sum + value, 0);
  return { allow: count('allow'), deny: count('deny') };
}
