import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { parse } from 'yaml';
import { freePorts } from '../../src/demo/free-ports.js';
import { GUARD_FILE } from '../../src/envoy-config/guard-file.js';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import { GUARD } from '../../src/envoy-config/names.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { readPolicyFolder } from '../../src/policy/read.js';
import { envoyOptions } from '../../test/e2e/envoy-options.js';
import { guardOfThis } from '../../test/guard/wasm.js';
import { startChild, until, type Child } from '../child/process.js';
import type { Home } from '../scene/home.js';

/** What answers Envoy's checks; `off`: it asks nobody; `guarded`: the service, with the session guard behind its answers. */
export const VARIANTS = ['off', 'no-op', 'service', 'guarded'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Envoy {
  /** Where it listens for HTTP. */
  readonly port: number;
  readonly pid: number;
  /** What answers its checks; null: nobody. */
  readonly authz: Child | null;
}

export type Envoys = Readonly<Record<Variant, Envoy>> & { stop(): Promise<void> };

interface EnvoysStart {
  readonly command: string;
  readonly core: number;
  readonly authz: Readonly<Record<Exclude<Variant, 'off' | 'guarded'>, Child & { readonly socket: string }>>;
}

const START_MS = 30_000;

/** Envoys that differ in nothing else. */
export async function startEnvoys(home: Home, start: EnvoysStart): Promise<Envoys> {
  const children: Child[] = [];
  const one = async (variant: Variant): Promise<Envoy> => {
    const authz = variant === 'off' ? null : start.authz[variant === 'guarded' ? 'service' : variant];
    const [port, admin] = await freePorts(2);
    const folder = home.file(`envoy/${variant}`);
    const socket = authz?.socket ?? start.authz['no-op'].socket;
    await writeConfiguration(home, { folder, httpPort: port!, adminPort: admin!, socket });
    // The guard refuses what was let in without an end, as the no-op server does.
    if (variant !== 'guarded') withoutFilters(folder, authz === null ? [CHECK, GUARD] : [GUARD]);
    const child = startChild({
      command: start.command,
      args: ['-c', `${folder}/bootstrap.yaml`, ...OPTIONS],
      cwd: folder,
      logFile: home.file(`log/envoy-${variant}.log`),
      core: start.core,
    });
    children.push(child);
    await until(() => (child.assertRunning(), isLive(admin!)), 'Envoy', START_MS);
    return { port: port!, pid: child.pid, authz };
  };
  const stop = async () => void (await Promise.all(children.map((child) => child.stop())));
  try {
    return {
      off: await one('off'),
      'no-op': await one('no-op'),
      service: await one('service'),
      guarded: await one('guarded'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const OPTIONS = ['--disable-hot-restart', '--concurrency', '1', '-l', 'warning'];

interface Places {
  readonly folder: string;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly socket: string;
}

async function writeConfiguration(home: Home, { folder, httpPort, adminPort, socket }: Places): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const policies = await readPolicyFolder(home.file('policy'), { trust: ['corp' as never] });
  if (!policies.ok) throw new Error(JSON.stringify(policies.problems));
  const options = {
    ...envoyOptions(home.file, { http: httpPort, admin: adminPort }),
    accessLog: `${folder}/access.log`,
    authz: { kind: 'unix', path: socket } as const,
    folder,
    guardWasm: `${folder}/${GUARD_FILE}`,
  };
  await writeEnvoyConfig(folder, generateEnvoyConfig(policies.set.resources.values(), options), guardOfThis());
}

const CHECK = 'envoy.filters.http.ext_authz';

/** Takes filters, and what routes say to them, out of what was generated, and nothing else. */
function withoutFilters(folder: string, filters: readonly string[]): void {
  for (const name of ['lds.yaml', 'rds.yaml']) {
    const file = `${folder}/${name}`;
    const left = without(parse(readFileSync(file, 'utf8')), filters);
    // Every YAML parser reads JSON.
    writeFileSync(file, JSON.stringify(left));
  }
}

function without(node: unknown, filters: readonly string[]): unknown {
  if (Array.isArray(node)) {
    const left = node.filter((item) => !filters.includes((item as Named | null)?.name ?? ''));
    return left.map((item) => without(item, filters));
  }
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => !filters.includes(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, without(value, filters)]));
}

interface Named {
  readonly name?: string;
}

function isLive(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}
