import { loadConfig } from '../config.js';
import { generateEnvoyConfig } from '../envoy-config/generate.js';
import { GUARD_FILE, readGuard } from '../envoy-config/guard-file.js';
import type { EnvoyOptions } from '../envoy-config/options.js';
import { writeEnvoyConfig } from '../envoy-config/write.js';
import { HARD_CEILING } from '../domain/durations.js';
import { longestHolds } from '../domain/hold.js';
import type { Instant } from '../domain/time.js';
import { serve, type Running } from '../main.js';
import { createLog } from '../main/log.js';
import { printProblem } from '../policy/problem.js';
import { readPolicyFolder } from '../policy/read.js';
import { startEnvoy, type EnvoyProcess } from './envoy-process.js';
import type { FoundEnvoy } from './find-envoy.js';
import { freePorts } from './free-ports.js';
import { sceneIn, setScene, type Ports, type Scene } from './scene.js';
import { startUpstreams, type Upstreams } from './upstreams.js';

/** Everything that runs in a demo. */
export interface Stage {
  readonly scene: Scene;
  /** Null where no Envoy was found: then requests and reviews work, and nothing is let through or refused. */
  readonly envoy: EnvoyProcess | null;
  readonly service: Running;
  close(): Promise<void>;
}

export interface StageGiven {
  /** Empty, or made now. */
  readonly folder: string;
  readonly version: string;
  readonly envoy: FoundEnvoy;
  readonly now: Instant;
}

/** Bytes; a demo leaves its folder behind, and needs no room to end access on a full disk. */
const KEPT_BACK = 65_536;

/** Starts the service, two upstreams, and Envoy in front of them; all on free ports. */
export async function openStage({ folder, version, envoy: found, now }: StageGiven): Promise<Stage> {
  const scene = sceneIn(folder, await choosePorts());
  setScene(scene, now);
  const end = new AbortController();
  const opened: { service?: Running; upstreams?: Upstreams; envoy?: EnvoyProcess } = {};
  const close = async () => {
    await opened.envoy?.stop();
    await opened.upstreams?.close();
    end.abort();
    await opened.service?.ended;
  };
  try {
    const config = readConfig(scene);
    const log = createLog({ level: 'info', version, file: scene.file('log/service.log') });
    opened.service = await serve({ config, log, version, signal: end.signal, keptBack: KEPT_BACK });
    opened.upstreams = await startUpstreams({ web: scene.ports.webUpstream, database: scene.ports.databaseUpstream });
    if (found.kind !== 'none') opened.envoy = await openEnvoy(scene, found);
    return { scene, envoy: opened.envoy ?? null, service: opened.service, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function choosePorts(): Promise<Ports> {
  const [http, database, envoyAdmin, admin, metrics, webUpstream, databaseUpstream] = await freePorts(7);
  return {
    http: http!,
    database: database!,
    envoyAdmin: envoyAdmin!,
    admin: admin!,
    metrics: metrics!,
    webUpstream: webUpstream!,
    databaseUpstream: databaseUpstream!,
  };
}

function readConfig(scene: Scene) {
  // The demo is the same whatever is set in the environment.
  const config = loadConfig({ file: scene.file('portcullis.yaml'), env: {} });
  if (config.ok) return config.value;
  throw new Error(config.problems.map(printProblem).join('\n'));
}

async function openEnvoy(scene: Scene, found: Exclude<FoundEnvoy, { kind: 'none' }>): Promise<EnvoyProcess> {
  const { file, folder, ports } = scene;
  const policies = await readPolicyFolder(file('policy'), { trust: readConfig(scene).trust.map(({ name }) => name) });
  if (!policies.ok) throw new Error(policies.problems.map(printProblem).join('\n'));
  const options: EnvoyOptions = {
    address: '127.0.0.1',
    httpPort: ports.http,
    admin: { kind: 'tcp', host: '127.0.0.1', port: ports.envoyAdmin },
    server: { cert: file('server.crt'), key: file('server.key') },
    clientCa: file('ca.crt'),
    accessLog: file('log/access.log'),
    authz: { kind: 'unix', path: file('run/authz.sock') },
    guard: { kind: 'unix', path: file('run/guard.sock') },
    guardWasm: file(`envoy/${GUARD_FILE}`),
    gate: 'gate',
    folder: file('envoy'),
    maxSession: HARD_CEILING,
    holds: longestHolds(policies.set),
  };
  await writeEnvoyConfig(
    options.folder,
    generateEnvoyConfig(policies.set.resources.values(), options),
    await readGuard(),
  );
  return startEnvoy({
    found,
    bootstrap: file('envoy/bootstrap.yaml'),
    folder,
    logFile: file('log/envoy.log'),
    adminPort: ports.envoyAdmin,
  });
}
