import { peerAdmitted } from '../authz/peer.js';
import { printAddress } from '../config/address.js';
import { GuardSide } from '../guard/guard-side.js';
import { serveGuards } from '../guard/server.js';
import type { Core, Given } from '../main.js';
import { createGuardMetrics } from './guard-metrics.js';
import type { LifeCycle } from './life-cycle.js';
import { authzListener, listening, protect } from './listeners.js';
import { starting } from './start-error.js';

/** What keeps contact with the guards, and where. */
export interface StartedGuards {
  readonly side: GuardSide;
  readonly address: string;
}

/** Opens the door of the guards. What is held here is closed before the checks are. */
export async function startGuards({ config, log }: Given, life: LifeCycle, core: Core): Promise<StartedGuards> {
  const { needed, metrics, alarm, feed, certificateEnds } = core;
  const { clock } = needed;
  const { address } = config.listen.guard;
  let side: GuardSide | null = null;
  const observe = createGuardMetrics(metrics.registry, () => side?.size ?? { guards: 0, sessions: 0 });
  const certificateUntil = certificateEnds.find.bind(certificateEnds);
  side = new GuardSide({ ...needed, feed, settings: config.guard, observe, log, alarm, certificateUntil });
  await side.recall();
  const { target, credentials, peers = [] } = await starting('listen.guard', () => authzListener(config.listen.guard));
  const listener = { target, credentials, admits: peerAdmitted(peers) };
  const { maxSessions } = config.guard;
  const server = await listening('listen.guard', address, () =>
    serveGuards(listener, { side, clock, maxSessions, alarm }),
  );
  life.hold('guards', server, (open) => side.close().finally(() => open.close()));
  protect(address, 0o660);
  side.start();
  const bound = printAddress(address.kind === 'unix' ? address : { ...address, port: server.port });
  log.info({ address: bound }, 'in contact with guards');
  return { side, address: bound };
}
