import type { ResourceName } from '../../src/domain/names.js';
import { billingApi, resource } from '../builders.js';
import { http1 } from './clients.js';
import { freePorts, until, type EnvoyBinary } from './envoy.js';
import { startScene, type Asked } from './envoy-scene.js';
import { grpcUpstream, httpUpstream } from './envoy-upstreams.js';

const reportsApi = 'reports-api' as ResourceName;
const ledger = 'ledger' as ResourceName;

/** The authority of the resource that alice has a grant for. */
export const billing = { authority: 'billing.internal' };

/** Three HTTP resources behind one Envoy. alice has grants for billing-api and ledger, mallory has nothing. */
export async function startHttpScene(binary: EnvoyBinary) {
  const [upstream, grpc, { port }] = [await httpUpstream(), await grpcUpstream(), await freePorts('port')];
  const http = (authority: string, to: number) => ({ authority: [authority], upstream: `127.0.0.1:${to}` });
  const resources = [
    resource({ name: billingApi, http: http('billing.internal', upstream.port) }),
    resource({ name: reportsApi, http: http('reports.internal', upstream.port) }),
    resource({ name: ledger, http: http('ledger.internal', grpc.port) }),
  ];
  const scene = await startScene(binary, resources, port);
  const [alice, mallory] = [scene.peer(port), scene.peer(port, 'mallory')];
  try {
    await scene.service.grant({ resource: billingApi });
    await scene.service.grant({ resource: ledger });
    await until(async () => (await http1(alice, billing)).status === 200, 'the first answer');
  } catch (error) {
    // Nobody else knows of this Envoy yet.
    await scene.stop();
    throw error;
  }
  return {
    scene,
    upstream,
    grpc,
    alice,
    mallory,
    forget() {
      upstream.arrived.length = 0;
      scene.service.asked.length = 0;
    },
    /** What the service was asked last. */
    lastAsked: (): Asked => scene.service.asked.at(-1)!,
    /** What is known so far to anybody behind Envoy, as text. */
    leaked: () => JSON.stringify([upstream.arrived, grpc.arrived, scene.service.asked]),
    async stop() {
      await scene.stop();
      await Promise.all([upstream.close(), grpc.close()]);
    },
  };
}

export type HttpScene = Awaited<ReturnType<typeof startHttpScene>>;
