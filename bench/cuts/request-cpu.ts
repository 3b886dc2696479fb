import { freePorts } from '../../src/demo/free-ports.js';
import { GUARD } from '../../src/envoy-config/names.js';
import { LOAD_CORE, SERVER_CORE } from '../child/cores.js';
import { startUpstream } from '../e2e/upstream.js';
import { cpuBetween, cpuTimeOf } from '../figures/cpu.js';
import { median } from '../figures/quantile.js';
import { shown } from '../figures/table.js';
import { h2loadGet } from '../load/h2load.js';
import { pause } from './client.js';
import { startCutsEnvoy, type CutsEnvoy, type Listener } from './envoy.js';
import type { Figure } from './figure.js';
import { makeCutsHome, type CutsHome } from './home.js';
import { startLetIn } from './let-in.js';

const VARIANTS = ['without', 'with'] as const;
type Variant = (typeof VARIANTS)[number];

/** Processor microseconds of a request, how long its answer took in the middle in milliseconds, and the share that failed. */
interface Turn {
  readonly cpu: number;
  readonly failed: number;
  readonly p50: number;
}

/**
 * Figure i: what the guard costs each request. Two Envoys that differ in the guard alone, in turns; each asks a service that lets
 * everybody in. h2load shows no certificate, so the listeners take none.
 */
export async function guardPerRequest(
  command: string,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Figure[]> {
  const upstream = await startUpstream(LOAD_CORE);
  const [port, api] = await freePorts(2);
  const behind = [{ name: 'web', kind: 'http' as const, upstream: upstream.port, port: port!, users: 0 }];
  const home = await makeCutsHome(behind, api!);
  const service = await startLetIn(home.file('let-in.sock'), LOAD_CORE);
  const envoys = new Map<Variant, { readonly envoy: CutsEnvoy; readonly port: number }>();
  try {
    for (const variant of VARIANTS) envoys.set(variant, await startVariant(command, home, variant));
    await pause(2_000);
    console.error('requests with and without the guard …');
    const turns: Record<Variant, Turn[]> = { without: [], with: [] };
    for (let round = 0; round <= rounds; round++) {
      for (const variant of VARIANTS) {
        const turn = await oneTurn(home, envoys.get(variant)!, seconds);
        // The first warms up. Checks that come too late for a busy machine cost as much in both.
        if (round === 0) continue;
        if (turn.failed > 0.1) throw new Error(`${shown(turn.failed * 100)} % of the requests failed`);
        turns[variant].push(turn);
      }
    }
    const added = turns.with.map(({ cpu }, round) => cpu - turns.without[round]!.cpu);
    const middle = (variant: Variant, which: keyof Turn, places: number) =>
      shown(median(turns[variant].map((turn) => turn[which])), places);
    return [
      {
        name: 'processor time that the guard adds to a request',
        unit: 'us',
        values: added,
        judged: 'median',
        bound: 30,
        note:
          `Envoy's, over HTTP/2; ${middle('without', 'cpu', 1)} us without, ${middle('with', 'cpu', 1)} with; p50 under full ` +
          `load ${middle('without', 'p50', 2)} and ${middle('with', 'p50', 2)} ms`,
      },
    ];
  } finally {
    for (const { envoy } of envoys.values()) await envoy.stop();
    await service.stop();
    await upstream.stop();
    home.remove();
  }
}

async function startVariant(command: string, home: CutsHome, variant: Variant) {
  const [http, admin] = await freePorts(2);
  const envoy = await startCutsEnvoy(home, {
    command,
    http: http!,
    admin: admin!,
    concurrency: 1,
    core: SERVER_CORE,
    sockets: { authz: home.file('let-in.sock'), guard: home.file('let-in.sock') },
    folder: `envoy-${variant}`,
    adapt: (listeners) => listeners.map((one) => without(one, variant === 'without') as Listener),
  });
  return { envoy, port: http! };
}

/** Takes TLS out of a listener, and the guard where it is to go. */
function without(node: unknown, isGuardless: boolean): unknown {
  if (Array.isArray(node)) {
    const left = node.filter((item) => !isGuardless || (item as { name?: string } | null)?.name !== GUARD);
    return left.map((item) => without(item, isGuardless));
  }
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => !key.startsWith('transport_socket'));
  return Object.fromEntries(entries.map(([key, value]) => [key, without(value, isGuardless)]));
}

async function oneTurn(
  home: CutsHome,
  { envoy, port }: { readonly envoy: CutsEnvoy; readonly port: number },
  seconds: number,
): Promise<Turn> {
  const before = cpuTimeOf(envoy.pid);
  const loaded = await h2loadGet({
    url: 'http://web.internal/',
    port,
    seconds,
    connections: 4,
    streams: 8,
    core: LOAD_CORE,
    logFile: home.file('log/h2load.log'),
  });
  const { user, system } = cpuBetween(before, cpuTimeOf(envoy.pid));
  const { done, failed, latency } = loaded;
  return { cpu: (user + system) / done, p50: latency.p50, failed: failed / done };
}
