import { cpuBetween, cpuTimeOf, type CpuTime } from '../figures/cpu.js';
import type { Loaded } from '../load/h2load.js';
import { startPaced } from '../load/paced.js';
import type { Home } from '../scene/home.js';
import { openClient, type Client, type Protocol } from './clients.js';
import { VARIANTS, type Envoy, type Envoys, type Variant } from './envoys.js';

/** One turn of one variant. */
export interface Turn {
  readonly loaded: Loaded;
  readonly cpu: { readonly envoy: CpuTime; readonly authz: CpuTime | null };
}

export interface TurnsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly rate: number;
  readonly protocol: Protocol;
}

/** A B C A B C …, so that whatever else the machine does hits all. The first turn of each is for warming up. */
export async function inTurns(
  home: Home,
  envoys: Envoys,
  { rounds, seconds, rate, protocol }: TurnsOptions,
): Promise<Readonly<Record<Variant, readonly Turn[]>>> {
  console.error(`${protocol} …`);
  const clients = new Map<Variant, Client>();
  const turns: Record<Variant, Turn[]> = { off: [], 'no-op': [], service: [], guarded: [] };
  try {
    for (const variant of VARIANTS) clients.set(variant, await openClient(home, envoys[variant].port, protocol));
    for (let round = 0; round <= rounds; round++) {
      for (const variant of VARIANTS) {
        const turn = await oneTurn(envoys[variant], clients.get(variant)!, { rate, seconds });
        if (round > 0) assertMeaningful(variant, turn);
        if (round > 0) turns[variant].push(turn);
      }
    }
    return turns;
  } finally {
    for (const client of clients.values()) client.close();
  }
}

/** On a machine that is busy a check may take longer than Envoy waits; where that is the rule, nothing was measured. */
function assertMeaningful(variant: Variant, { loaded: { done, failed } }: Turn): void {
  if (failed > done / 10) throw new Error(`${variant}: ${failed} of ${done} requests did not reach the upstream`);
}

async function oneTurn(
  envoy: Envoy,
  client: Client,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<Turn> {
  const cpuOf = (pid: number | undefined) => (pid === undefined ? null : cpuTimeOf(pid));
  const [envoyBefore, authzBefore] = [cpuTimeOf(envoy.pid), cpuOf(envoy.authz?.pid)];
  const load = startPaced(rate, client.send);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const loaded = await load.stop();
  const authzAfter = cpuOf(envoy.authz?.pid);
  return {
    loaded,
    cpu: {
      envoy: cpuBetween(envoyBefore, cpuTimeOf(envoy.pid)),
      authz: authzBefore && authzAfter && cpuBetween(authzBefore, authzAfter),
    },
  };
}
