import { freePorts } from '../../src/demo/free-ports.js';
import { tcpCluster, tcpListener } from '../../src/envoy-config/names.js';
import type { ResourceName } from '../../src/domain/names.js';
import { LOAD_CORE, SERVER_CORE } from '../child/cores.js';
import { pin, pinThisProcess } from '../child/process.js';
import { cpuBetween, cpuTimeOf } from '../figures/cpu.js';
import { median } from '../figures/quantile.js';
import { shown } from '../figures/table.js';
import { openClient, pause } from './client.js';
import type { Listener } from './envoy.js';
import type { Figure } from './figure.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream } from './tcp-upstream.js';

const FLOOD = 'flood' as ResourceName;
const TCP_PROXY = 'envoy.filters.network.tcp_proxy';

/** Of a turn, until the stream has its speed. */
const RUN_UP_MS = 300;

/** Figure j: how many bytes one stream through the gate brings for a second of Envoy's processor, beside plain tcp_proxy. */
export async function bytesPerCpu(
  command: string,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Figure[]> {
  pinThisProcess(LOAD_CORE);
  const upstream = await startCutsUpstream('flood');
  const [direct] = await freePorts(1);
  const stage = await openStage({
    command,
    concurrency: 1,
    core: SERVER_CORE,
    serviceCore: LOAD_CORE,
    behind: [{ name: FLOOD, kind: 'gate', upstream: upstream.port, users: 1 }],
    adapt: (listeners) => [...listeners, plainBeside(listeners, direct!)],
  });
  try {
    console.error('one stream through the gate and through plain tcp_proxy …');
    const ports = { gate: stage.portOf(FLOOD), plain: direct! };
    const turns: Record<keyof typeof ports, number[]> = { gate: [], plain: [] };
    for (let round = 0; round <= rounds; round++) {
      for (const way of ['gate', 'plain'] as const) {
        const bytes = await oneTurn(stage, ports[way], seconds);
        if (round > 0) turns[way].push(bytes);
      }
    }
    const ratios = turns.gate.map((bytes, round) => bytes / turns.plain[round]!);
    const gigabytes = (way: keyof typeof turns) => shown(median(turns[way]) / 1e9, 2);
    const note = `${gigabytes('gate')} GB for a second of processor, ${gigabytes('plain')} through plain tcp_proxy; mutual TLS, towards the client`;
    return [
      {
        name: 'bytes per processor second, gate by tcp_proxy',
        unit: '',
        values: ratios,
        judged: 'floor',
        bound: 0.65,
        note,
      },
    ];
  } finally {
    await stage.stop();
    await upstream.stop();
    pin(process.pid, `${SERVER_CORE},${LOAD_CORE}`);
  }
}

/** The listener in front of the gate once more, but straight to the upstream, with nobody asked, and with Envoy's own buffers. */
function plainBeside(listeners: readonly Listener[], port: number): Listener {
  const gated = listeners.find(({ name }) => name === tcpListener(FLOOD))!;
  const { per_connection_buffer_limit_bytes: _, ...rest } = gated;
  const [chain] = gated['filter_chains'] as readonly { readonly filters: readonly unknown[] }[];
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    stat_prefix: 'plain',
    cluster: tcpCluster(FLOOD),
  };
  return {
    ...rest,
    name: 'plain',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ ...chain, filters: [{ name: TCP_PROXY, typed_config }] }],
  };
}

async function oneTurn({ home, envoy }: Stage, port: number, seconds: number): Promise<number> {
  const client = await openClient({ home, port, user: 0 });
  await pause(RUN_UP_MS);
  const [cpu, bytes] = [cpuTimeOf(envoy.pid), client.received()];
  await pause(seconds * 1_000);
  const { user, system } = cpuBetween(cpu, cpuTimeOf(envoy.pid));
  const received = client.received() - bytes;
  client.socket.destroy();
  await pause(200);
  return received / ((user + system) / 1e6);
}
