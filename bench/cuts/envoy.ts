import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { parse } from 'yaml';
import { GUARD_FILE } from '../../src/envoy-config/guard-file.js';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { readPolicyFolder } from '../../src/policy/read.js';
import type { TrustName } from '../../src/domain/names.js';
import { envoyOptions } from '../../test/e2e/envoy-options.js';
import { guardOfThis } from '../../test/guard/wasm.js';
import { startChild, until } from '../child/process.js';
import type { CutsHome } from './home.js';

/** An Envoy that is measured. */
export interface CutsEnvoy {
  readonly pid: number;
  /** Bytes that it has allocated, as it counts itself. */
  allocated(): Promise<number>;
  /** Bytes of memory that it holds. */
  readonly resident: () => number;
  /** What it has said so far. */
  readonly log: () => string;
  stop(): Promise<void>;
}

/** What is not as usual. */
export interface EnvoyStart {
  readonly command: string;
  readonly http: number;
  readonly admin: number;
  /** Worker threads. */
  readonly concurrency: number;
  readonly core?: number | undefined;
  /** Arguments in place of `--disable-hot-restart`. */
  readonly restarting?: readonly string[];
  /** Variables of the environment besides what there are. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it asks and where its guards keep contact, other than the service of the home. */
  readonly sockets?: { readonly authz: string; readonly guard: string };
  /** Of its configuration, in the home. */
  readonly folder?: string;
  /** Changes the listeners before Envoy sees them; each as it would be in YAML. */
  readonly adapt?: (listeners: readonly Listener[]) => readonly Listener[];
}

/** A listener as it is generated. */
export interface Listener {
  readonly name: string;
  readonly [more: string]: unknown;
}

const START_MS = 30_000;

/** Envoy with what `portcullis envoy config` writes for the policies of a home. */
export async function startCutsEnvoy(home: CutsHome, start: EnvoyStart): Promise<CutsEnvoy> {
  const { command, http, admin, concurrency, core = null, sockets, folder = 'envoy', adapt } = start;
  const { restarting = ['--disable-hot-restart'], env = {} } = start;
  const usual = envoyOptions(home.file, { http, admin });
  const options = {
    ...usual,
    folder: home.file(folder),
    guardWasm: home.file(`${folder}/${GUARD_FILE}`),
    ...(sockets && { authz: unix(sockets.authz), guard: unix(sockets.guard) }),
  };
  const policies = await readPolicyFolder(home.file('policy'), { trust: ['corp' as TrustName] });
  if (!policies.ok) throw new Error(JSON.stringify(policies.problems));
  await writeEnvoyConfig(options.folder, generateEnvoyConfig(policies.set.resources.values(), options), guardOfThis());
  if (adapt) adaptListeners(home.file(`${folder}/lds.yaml`), adapt);
  const child = startChild({
    command,
    args: ['-c', `${folder}/bootstrap.yaml`, ...restarting, '--concurrency', String(concurrency), '-l', 'warning'],
    env,
    cwd: home.folder,
    logFile: home.file(`log/${folder}.log`),
    core,
  });
  const isUp = async () => {
    child.assertRunning();
    if (!(await ask(admin, '/ready')).startsWith('LIVE')) return false;
    // The files are read after the start, and a worker's guard needs its welcome.
    const stats = await ask(admin, '/stats?filter=listener_manager.total_listeners_active');
    return Number(/: (\d+)/.exec(stats)?.[1] ?? 0) > 0;
  };
  await until(isUp, 'Envoy', START_MS);
  return {
    pid: child.pid,
    allocated: async () => Number((JSON.parse(await ask(admin, '/memory')) as { allocated: string }).allocated),
    resident: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1_024,
    log: () => child.written(),
    stop: () => child.stop(),
  };
}

const unix = (path: string) => ({ kind: 'unix', path }) as const;

function adaptListeners(file: string, adapt: NonNullable<EnvoyStart['adapt']>): void {
  const { resources, ...rest } = parse(readFileSync(file, 'utf8')) as { readonly resources: readonly Listener[] };
  // Every YAML parser reads JSON.
  writeFileSync(file, JSON.stringify({ ...rest, resources: adapt(resources) }));
}

function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve(text));
    });
    request.on('error', () => resolve(''));
  });
}
