import { freePorts } from '../../src/demo/free-ports.js';
import { until } from '../child/process.js';
import { startService, type ServiceChild } from '../child/service.js';
import { openAdmin, type Admin } from './admin.js';
import { openClient, pause } from './client.js';
import { startCutsEnvoy, type CutsEnvoy, type EnvoyStart } from './envoy.js';
import { makeCutsHome, type Behind, type CutsHome } from './home.js';

/** The built service as a process, a real Envoy with generated configuration, and what is behind it. */
export interface Stage {
  readonly home: CutsHome;
  readonly admin: Admin;
  readonly envoy: CutsEnvoy;
  /** The one that runs now. */
  readonly service: () => ServiceChild;
  /** Starts it again after it was killed. */
  restart(): Promise<void>;
  /** Where a resource is reached. */
  readonly portOf: (name: string) => number;
  /** Where the admin API is. */
  readonly api: number;
  /** Another Envoy with the same configuration, but for what is given; who asks for it stops it. */
  another(start: Partial<EnvoyStart>): Promise<CutsEnvoy>;
  stop(): Promise<void>;
}

/** What is behind Envoy; ports are found. */
type Wanted = Omit<Behind, 'port'>;

export interface StageStart extends Pick<EnvoyStart, 'command' | 'adapt' | 'core' | 'env' | 'restarting'> {
  readonly behind: readonly Wanted[];
  /** Worker threads of Envoy. */
  readonly concurrency?: number;
  readonly serviceCore?: number;
}

/** User number 0 of the first resource that is no HTTP must have a grant: it is how the stage knows that all is up. */
export async function openStage({ behind, concurrency = 2, serviceCore, ...envoyStart }: StageStart): Promise<Stage> {
  const [http, admin, api, ...ports] = await freePorts(3 + behind.length);
  const placed = behind.map((one, i) => ({ ...one, port: one.kind === 'http' ? http! : ports[i]! }));
  const home = await makeCutsHome(placed, api!);
  const core = serviceCore ?? null;
  let service = await startService(home, { core });
  let envoy: CutsEnvoy | undefined;
  const calls = openAdmin(home, api!);
  const stop = async () => {
    calls.close();
    await envoy?.stop();
    await service.stop();
    home.remove();
  };
  try {
    envoy = await startCutsEnvoy(home, { ...envoyStart, http: http!, admin: admin!, concurrency });
    await service.verified();
    const portOf = (name: string) => placed.find((one) => one.name === name)!.port;
    const probe = placed.find(({ kind, users }) => kind !== 'http' && users > 0);
    if (probe) await until(() => gets(home, probe), 'a first session', 20_000);
    return {
      home,
      admin: calls,
      envoy,
      service: () => service,
      async restart() {
        service = await startService(home, { core });
        // Its first line is about checks; the rest comes a little later.
        await until(() => calls.answers(), 'the admin API', 20_000);
      },
      portOf,
      api: api!,
      another: (over) => startCutsEnvoy(home, { ...envoyStart, http: http!, admin: admin!, concurrency, ...over }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function gets(home: CutsHome, { port, kind }: Behind): Promise<boolean> {
  try {
    const { socket } = await openClient({ home, port, user: 0 }, kind === 'tcp' ? 'x' : '');
    socket.destroy();
    return true;
  } catch {
    await pause(100);
    return false;
  }
}
