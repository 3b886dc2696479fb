import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Events } from '../access/events/events.js';
import type { LiveSessions } from '../access/live-sessions.js';
import { httpsOptions, type Door } from '../admin/door.js';
import { createAdmin } from '../admin/server.js';
import { printAddress } from '../config/address.js';
import type { Address, Config, Listener } from '../config/structure.js';
import type { Core, Given } from '../main.js';
import type { LifeCycle } from './life-cycle.js';
import { listening, listenOptions, prepare, protect } from './listeners.js';
import { serveMetrics } from './metrics.js';
import { starting } from './start-error.js';

/** What the API shows besides what is in the store. */
interface Shown {
  readonly sessions: LiveSessions;
  readonly events: Events;
}

type Addresses = Readonly<Record<'admin' | 'adminSocket' | 'metrics', string>>;

/** Opens the doors of the admin API, and the metrics. What is held here is closed before the checks are. */
export async function startAdmin(given: Given, life: LifeCycle, core: Core, shown: Shown): Promise<Addresses> {
  const { admin, adminSocket, metrics } = given.config.listen;
  return {
    adminSocket: await open('listen.adminSocket', adminSocket, { kind: 'socket' }, { given, life, core, shown }),
    admin: await open('listen.admin', admin, await starting('listen.admin.tls', () => doorOf(admin, given.config)), {
      given,
      life,
      core,
      shown,
    }),
    metrics: await openMetrics(metrics.address, life, core),
  };
}

/** How long running calls may take when the service ends. */
const GRACE_MS = 2_000;

interface Parts {
  readonly given: Given;
  readonly life: LifeCycle;
  readonly core: Core;
  readonly shown: Shown;
}

async function open(
  setting: string,
  { address }: Listener,
  door: Door,
  { given, life, core, shown }: Parts,
): Promise<string> {
  const { needed, drafts, identifier, reloads, alarm } = core;
  const [sole, another] = given.config.trust;
  const app = createAdmin({
    needed,
    drafts,
    ...shown,
    identifier,
    door,
    alarm,
    version: given.version,
    serving: () => life.closed(),
    policiesSettled: () => reloads.isSettled(),
    randomSecret: () => randomBytes(32),
    publicHost: given.config.envoy.publicHost,
    soleTrust: another ? undefined : sole?.name,
    heard: (call) => given.log.debug(call, 'call'),
  });
  await prepare(address);
  await listening(setting, address, () => listen(app, address));
  // A call that never ends its request would hold up the end of the service.
  life.hold(setting, app, (held) => {
    const timer = setTimeout(() => held.server.closeAllConnections(), GRACE_MS);
    return held.close().finally(() => clearTimeout(timer));
  });
  protect(address, 0o600);
  return boundTo(address, app.server.address());
}

/** A socket is nobody's but its owner's from its first moment: between listening and chmod others could get in. */
async function listen(app: ReturnType<typeof createAdmin>, address: Address): Promise<void> {
  const before = process.umask(address.kind === 'unix' ? 0o177 : process.umask());
  try {
    await app.listen(listenOptions(address));
  } finally {
    process.umask(before);
  }
}

function doorOf({ tls }: Listener, { trust }: Config): Door {
  if (tls === null) return { kind: 'plain' };
  const ca = (tls.ca === null ? trust.map((entry) => entry.ca) : [tls.ca]).map(readText);
  return { kind: 'tls', https: httpsOptions({ cert: readText(tls.cert), key: readText(tls.key), ca }) };
}

async function openMetrics(address: Address, life: LifeCycle, { metrics }: Core): Promise<string> {
  await prepare(address);
  const server = await listening('listen.metrics', address, () => serveMetrics(metrics, listenOptions(address)));
  life.hold('listen.metrics', server, (held) => {
    held.close();
    held.closeAllConnections();
  });
  return boundTo(address, server.address());
}

function boundTo(address: Address, bound: AddressInfo | string | null): string {
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return printAddress(address);
  return printAddress({ ...address, port: bound.port });
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}
