import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Dependencies } from './access/dependencies.js';
import { endInadmissible } from './access/policy-change.js';
import { createRecorder } from './access/recorder.js';
import { createCore } from './authz/core.js';
import { serveAuthz, type AuthzServer } from './authz/server.js';
import { printAddress } from './config/address.js';
import type { Address, Config } from './config/structure.js';
import type { Transition } from './domain/audit-entry.js';
import { checkedClock, type Instant } from './domain/time.js';
import { createIdentifier, type Identifier } from './identity/identify.js';
import { watchClock } from './main/clock-watch.js';
import { LifeCycle } from './main/life-cycle.js';
import { authzListener, listening, protect } from './main/listeners.js';
import { createAlarm, type Log } from './main/log.js';
import { createMetrics, type Metrics } from './main/metrics.js';
import { newId } from './main/new-id.js';
import { openPolicies, type Policies } from './main/policies.js';
import { openRoom } from './main/room.js';
import { starting } from './main/start-error.js';
import { keepTidy } from './main/tidying.js';
import { verifyStore } from './main/verifying.js';
import { openLmdbStore, type LmdbStore } from './store/lmdb.js';
import { readMacKey } from './store/mac-key.js';

/** A running service. */
export interface Running {
  /** Where it listens, with the ports that the system chose. */
  readonly addresses: Readonly<Record<'authz' | 'admin' | 'adminSocket' | 'metrics', string>>;
  /** Reads the policy folder again; resolves with what is wrong with it, and then the old policies stay in force. */
  reloadPolicies(): Promise<readonly string[]>;
  /** Resolves with the exit code when the service has ended: 0 after `signal`, 70 when its storage failed. */
  readonly ended: Promise<number>;
}

export interface Given {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Ends the service in order. */
  readonly signal: AbortSignal;
  readonly wall?: () => number;
  readonly mono?: () => number;
}

/**
 * Starts the service: what a check needs first, so that the first one is answered a fraction of a second after the start,
 * then the admin API. It is taken down in reverse.
 *
 * @throws {StartError} when something does not work as it is configured; then nothing is left running
 */
export async function serve(given: Given): Promise<Running> {
  const life = new LifeCycle(given.log);
  try {
    const core = await startChecks(given, life);
    // Loaded while checks are being answered already.
    const { startAdmin } = await import('./main/admin.js');
    const addresses = await startAdmin(given, life, core);
    await startUpkeep(given, life, core);
    life.endOn(given.signal);
    const authz = addressOf(given.config.listen.authz.address, core.authz.port);
    return { addresses: { authz, ...addresses }, reloadPolicies: () => reload(given, core), ended: life.ended };
  } catch (error) {
    await life.end();
    throw error;
  }
}

/** What the admin API and the upkeep share with the checks. */
export interface Core {
  readonly needed: Dependencies;
  readonly policies: Policies;
  readonly store: LmdbStore;
  readonly identifier: Identifier;
  readonly metrics: Metrics;
  readonly authz: AuthzServer;
  readonly alarm: (cause: unknown) => void;
}

async function startChecks(given: Given, life: LifeCycle): Promise<Core> {
  const { config, log, version, wall = Date.now, mono = () => performance.now() } = given;
  const policies = await openPolicies(
    config.policy,
    config.trust.map(({ name }) => name),
  );
  for (const warning of policies.warnings) log.warn(warning);
  const identifier = await starting('trust', () =>
    createIdentifier({ trust: readTrust(config), capacity: REMEMBERED }),
  );
  const store = life.hold('store', await openStore(config, { wall, life }), (open) => open.close());
  const clock = checkedClock(wall, mono, store.highWaterMark());
  life.hold('clock watch', watchClock(clock, log), (open) => open.close());
  const room = life.hold('disk guard', openRoom(config.data, log), (open) => open.close());
  const needed: Dependencies = { store, clock, policies, newId, sha256, room };
  const metrics = createMetrics({ version, gauges: gaugesOf(needed, store) });
  const alarm = createAlarm(log, mono, metrics.alarm);
  const recorder = createRecorder({ store, mode: config.decisions.log, onFailure: alarm });
  life.hold('decision log', recorder, (open) => open.flush());

  const core = createCore({
    ...needed,
    recorder,
    identifier,
    gate: config.gate,
    closed: () => life.closed(),
    alarm,
    observe: metrics.check,
  });
  const { authz: at } = config.listen;
  const listener = await starting('listen.authz', () => authzListener(at));
  const authz = await listening('listen.authz', at.address, () => serveAuthz(listener, core, { alarm }));
  life.hold('authz', authz, (open) => open.close(GRACE_MS));
  protect(at.address, 0o660);
  authz.health.set(true);
  log.info({ address: addressOf(at.address, authz.port), startMs: Math.round(mono()) }, 'answering checks');
  return { needed, policies, store, identifier, metrics, authz, alarm };
}

/** What the service writes down of itself, and what tidies up behind it. */
async function startUpkeep(
  { config, log, version }: Given,
  life: LifeCycle,
  { needed, policies, store, alarm }: Core,
): Promise<void> {
  const write = (transition: Transition) => {
    const now = needed.clock.read().wall;
    return needed.store.change(now, (change) => change.record({ kind: 'system' }, transition));
  };
  await write({ action: 'service.started', version, policyDigest: policies.current.digest });
  life.hold('stop entry', null, () => write({ action: 'service.stopped' }));
  life.hold('tidying', keepTidy({ needed, keepDecisions: config.decisions.keep, alarm }), (open) => open.close());
  sweep(needed, log).catch(alarm);
  verifyStore(store, log, alarm).catch(alarm);
}

/** Writes down which grants the policies no longer admit. The checks deny them already. */
async function sweep(needed: Dependencies, log: Log): Promise<void> {
  const ended = await endInadmissible(needed);
  if (ended > 0) log.warn({ ended }, 'grants ended: the policies no longer admit them');
}

async function reload({ log }: Given, { needed, policies, metrics }: Core): Promise<readonly string[]> {
  const outcome = await policies.reload();
  metrics.policyReload(outcome.ok ? 'loaded' : 'refused');
  if (!outcome.ok) {
    log.error({ problems: outcome.problems }, 'the policy folder cannot be read; the old policies stay in force');
    return outcome.problems;
  }
  for (const warning of outcome.warnings) log.warn(warning);
  const policyDigest = policies.current.digest;
  await needed.store.change(needed.clock.read().wall, (change) =>
    change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest }),
  );
  log.info({ policyDigest }, 'policies loaded');
  await sweep(needed, log);
  return [];
}

/** How long running calls may take when the service ends. */
const GRACE_MS = 2_000;

/** Certificates whose identity is remembered: about 2 KiB each. */
const REMEMBERED = 10_000;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function readTrust({ trust }: Config) {
  return trust.map(({ ca, ...entry }) => ({ entry, ca: readFileSync(ca, 'utf8') }));
}

function openStore(
  { data, storage }: Config,
  { wall, life }: { wall: () => number; life: LifeCycle },
): Promise<LmdbStore> {
  const { macKey: file, allowVolatile } = storage;
  return starting('data', async () => {
    if (file === null)
      throw new Error('set storage.macKey to the file with the key of the records; portcullis init makes one');
    return openLmdbStore({
      folder: data,
      macKey: readMacKey(file, data),
      now: () => wall() as Instant,
      onFailStop: (cause) => life.failStop(cause),
      allowVolatile,
    });
  });
}

function gaugesOf({ clock }: Dependencies, store: LmdbStore) {
  return {
    sequence: () => store.read((snapshot) => snapshot.sequence),
    locks: () => store.read((snapshot) => snapshot.locks().length),
    storeBytes: () => store.bytes(),
    clockTrusted: () => clock.read().trusted,
  };
}

function addressOf(address: Address, port: number): string {
  return printAddress(address.kind === 'unix' ? address : { ...address, port });
}
