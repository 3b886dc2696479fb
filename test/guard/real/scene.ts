import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startEnvoy, type EnvoyBinary, type RunningEnvoy } from '../../e2e/envoy.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from '../../e2e/envoy-upstreams.js';
import { guardWasm } from '../wasm.js';
import { bootstrap, type Bootstrap, type Ports } from './bootstrap.js';
import { SmallService } from './small-service.js';

/** One Envoy with the guard, in front of upstreams, and the small service. */
export interface Scene {
  readonly ports: Ports;
  readonly folder: string;
  readonly service: SmallService;
  readonly envoy: RunningEnvoy;
  readonly web: HttpUpstream;
  readonly tcp: TcpUpstream;
  stop(): Promise<void>;
}

const LISTENERS = ['http', 'misplaced', 'outer', 'tcp', 'unasked', 'gate'];

export interface SceneOptions {
  readonly wasm?: string;
  /** False: starting the service is left to the test. */
  readonly isUp?: boolean;
  /** Changes the configuration before Envoy sees it. */
  readonly adapt?: (bootstrap: Bootstrap, folder: string) => object;
}

export async function startScene(
  { command }: EnvoyBinary,
  { wasm = guardWasm(), isUp = true, adapt = (unchanged) => unchanged }: SceneOptions = {},
): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-guard-'));
  const [web, tcp] = await Promise.all([httpUpstream(), tcpUpstream()]);
  const ports = await freePorts('admin', 'http', 'misplaced', 'gate', 'tcp', 'unasked');
  const socket = join(folder, 'service.sock');
  const service = new SmallService(`unix:${socket}`);
  if (isUp) await service.start();
  const config = join(folder, 'envoy.json');
  const plain = bootstrap({ ports, upstreams: { web: web.port, tcp: tcp.port }, wasm, socket });
  writeFileSync(config, JSON.stringify(adapt(plain, folder)));
  const close = async () => {
    service.kill();
    await Promise.all([web.close(), tcp.close()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const envoy = await startEnvoy({ command, config, folder, admin: ports.admin, listeners: LISTENERS });
    const stop = async () => {
      await envoy.stop();
      await close();
    };
    return { ports, folder, service, envoy, web, tcp, stop };
  } catch (error) {
    await close();
    throw error;
  }
}
