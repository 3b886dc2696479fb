import { SERVER_CORE } from '../child/cores.js';
import { startService } from '../child/service.js';
import { anonymousMemoryOf, residentMemoryOf } from '../figures/memory.js';
import { framedCheck, openChecks } from '../load/checks.js';
import { closedLoad } from '../load/closed.js';
import type { Home } from '../scene/home.js';
import { resourceOf, RESOURCES, usersOf } from '../scene/names.js';

/** Memory at one moment, in MiB. */
export interface Memory {
  readonly when: string;
  readonly anonymous: number;
  readonly resident: number;
}

export interface MemoryOptions {
  readonly checkout: string;
  readonly grants: number;
  readonly users: number;
  readonly checks: number;
  readonly seconds: number;
}

const CONNECTIONS = 4;
const STREAMS = 8;

/** The service after its start, after so many checks, and after more of them without a pause. */
export async function memoryUnderLoad(home: Home, options: MemoryOptions): Promise<readonly Memory[]> {
  const { checkout, checks, seconds } = options;
  const service = await startService(home, { core: SERVER_CORE, ...(checkout && { checkout }), log: 'memory' });
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openChecks(service.socket)));
  const at = (when: string): Memory => ({
    when,
    anonymous: anonymousMemoryOf(service.pid),
    resident: residentMemoryOf(service.pid),
  });
  try {
    const found = [at('after the start')];
    const load = { connections, streams: STREAMS, checks: manyChecks(home, options) };
    const first = await closedLoad({ ...load, seconds: Infinity, count: checks });
    found.push(at(`after ${first.done} checks`));
    const more = await closedLoad({ ...load, seconds });
    found.push(at(`after ${seconds} s more, ${more.done} checks`));
    if (first.failed + more.failed > 0) throw new Error('not all checks were allowed');
    return found;
  } finally {
    for (const connection of connections) connection.close();
    await service.stop();
  }
}

/** Each certificate for another resource than the one before. */
function manyChecks(home: Home, { grants, users }: MemoryOptions): readonly Buffer[] {
  return Array.from({ length: Math.min(users, usersOf(grants)) }, (_, user) =>
    framedCheck(home.check(user, { resource: resourceOf(user * RESOURCES + (user % RESOURCES)) })),
  );
}
