import { createHash } from 'node:crypto';
import type { Dependencies } from './access/dependencies.js';
import { createDrafts, type Drafts } from './access/drafts.js';
import { publishing, type Feed } from './access/feed.js';
import { Holds } from './access/hold.js';
import { createRecorder } from './access/recorder.js';
import { createCore } from './authz/core.js';
import { serveAuthz, type AuthzServer } from './authz/server.js';
import { printAddress } from './config/address.js';
import type { Address, Config } from './config/structure.js';
import type { Transition } from './domain/audit-entry.js';
import { checkedClock, isLeap, type Instant } from './domain/time.js';
import { CertificateEnds } from './guard/certificate-ends.js';
import type { Identifier } from './identity/identify.js';
import { watchClock } from './main/clock-watch.js';
import { createDraftMetrics } from './main/draft-metrics.js';
import { createHoldObserver } from './main/hold-metrics.js';
import { LifeCycle } from './main/life-cycle.js';
import { authzListener, listening, protect } from './main/listeners.js';
import { createAlarm, type Log } from './main/log.js';
import { createMetrics, type Metrics } from './main/metrics.js';
import { newId } from './main/new-id.js';
import type { Policies } from './main/policies.js';
import { PolicyReloads, type Reloaded } from './main/policy-reloads.js';
import { prepareStart } from './main/preparation.js';
import { openRoom } from './main/room.js';
import { starting } from './main/start-error.js';
import { keepTidy } from './main/tidying.js';
import { verifyBeside } from './main/verifying.js';
import { openLmdbStore, type LmdbStore } from './store/lmdb.js';

/** A running service. */
export interface Running {
  /** Where it listens, with the ports that the system chose. */
  readonly addresses: Readonly<Record<'authz' | 'guard' | 'admin' | 'adminSocket' | 'metrics', string>>;
  /** Reads the policy folder again. */
  reloadPolicies(): Promise<Reloaded>;
  /** Resolves with the exit code when the service has ended: 0 after `signal`, 70 when its storage failed. */
  readonly ended: Promise<number>;
}

export interface Given {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Ends the service in order. */
  readonly signal: AbortSignal;
  /** Bytes of disk that are kept back for ending access, where it is not as much as usual. */
  readonly keptBack?: number;
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
    await writeStartAndStop(given, life, core);
    // Loaded while checks are being answered already.
    const later = Promise.all([
      import('./main/guard.js'),
      import('./main/admin.js'),
      import('./main/events.js'),
      import('./main/notify.js'),
    ]);
    const [{ startGuards }, { startAdmin }, { startEvents }, { startNotifiers }] = await later.finally(core.allLoaded);
    const events = startEvents(life, core);
    const guards = await startGuards(given, life, core);
    const addresses = await startAdmin(given, life, core, { sessions: guards.side, events });
    await startNotifiers(given, life, core, events);
    await startUpkeep(given, life, core);
    // First of all at the end: whoever waits at the door waits for nothing any more.
    life.hold('held checks', core.holds, (open) => open.close());
    life.endOn(given.signal);
    const authz = addressOf(given.config.listen.authz.address, core.authz.port);
    // Last of all, though checks have been answered for a while: whoever reads it need not fear that the start still fails.
    given.log.info({ address: authz, startMs: core.startMs }, 'answering checks');
    return {
      addresses: { authz, guard: guards.address, ...addresses },
      reloadPolicies: () => core.reloads.reload(),
      ended: life.ended,
    };
  } catch (error) {
    await life.end();
    throw error;
  }
}

/** What the admin API and the upkeep share with the checks. */
export interface Core {
  readonly needed: Dependencies;
  readonly policies: Policies;
  readonly reloads: PolicyReloads;
  readonly store: LmdbStore;
  readonly identifier: Identifier;
  readonly metrics: Metrics;
  readonly authz: AuthzServer;
  readonly alarm: (cause: unknown) => void;
  readonly holds: Holds;
  readonly drafts: Drafts;
  /** What was committed, for whoever carries it on. */
  readonly feed: Feed;
  readonly certificateEnds: CertificateEnds;
  /** From the start of the process to the first moment at which a check was answered. */
  readonly startMs: number;
  /** Whether the clock is so far ahead of the last run that somebody had to confirm it, or still has to. */
  readonly isAfterLeap: boolean;
  /** To be called when no more modules are going to be loaded. */
  readonly allLoaded: () => void;
}

async function startChecks(given: Given, life: LifeCycle): Promise<Core> {
  const { config, log, version, wall = Date.now, mono = () => performance.now() } = given;
  const { identifier, policies, macKey, warnings } = await prepareStart(config, wall() as Instant);
  for (const warning of warnings) log.warn(warning);
  const store = life.hold('store', await openStore(config, { macKey, wall, life }), (open) => open.close());
  const start = { wall: wall(), mark: store.highWaterMark() };
  const clock = checkedClock(wall, mono, start.mark, config.clock.confirmed);
  life.hold('clock watch', watchClock(clock, log, start), (open) => open.close());
  const room = life.hold('disk guard', openRoom(config.data, log, given.keptBack), (open) => open.close());
  const { store: published, feed } = publishing(store, (cause) => alarm(cause));
  const needed: Dependencies = { store: published, clock, policies, newId, sha256, room };
  const metrics = createMetrics({ version, gauges: gaugesOf(needed, store) });
  const alarm = createAlarm(log, mono, metrics.alarm);
  const loading = latch();
  const recorder = createRecorder({
    store,
    room,
    mode: config.decisions.log,
    begin: loading.done,
    onFailure: alarm,
    onUnrecorded: metrics.unrecorded,
  });
  life.hold('decision log', recorder, (open) => open.flush());
  const { dropped } = createDraftMetrics(metrics.registry, (use) => store.read(use));
  const drafts = createDrafts({ ...needed, alarm, onDropped: dropped, begin: loading.done });
  feed.listen((entries) => drafts.hear(entries));
  life.hold('drafts', drafts, (open) => open.close());
  // Both wait for it, also at the end of a start that has failed before that.
  life.hold('loading', loading, (held) => held.open());

  const certificateEnds = new CertificateEnds();
  const deciding = { ...needed, recorder, closed: () => life.closed(), alarm };
  let holds: Holds | null = null;
  const observe = createHoldObserver({ registry: metrics.registry, log, waiting: () => holds?.size ?? 0 });
  holds = new Holds({ ...deciding, feed, observe });
  const core = createCore({
    ...deciding,
    identifier,
    gate: config.gate,
    holds,
    drafts,
    observe: metrics.check,
    allowed: (decision, until) => certificateEnds.note(decision, until),
  });
  const { authz: at } = config.listen;
  const listener = await starting('listen.authz', () => authzListener(at));
  const authz = await listening('listen.authz', at.address, () =>
    serveAuthz(listener, core, { alarm, wall: Date.now }),
  );
  life.hold('authz', authz, (open) => open.close(GRACE_MS));
  life.hold('held checks', holds, (open) => open.close());
  protect(at.address, 0o660);
  authz.health.set(true);
  const startMs = Math.round(mono());
  const reloads = new PolicyReloads({ needed, policies, log, alarm, observe: metrics.policyReload });
  const isAfterLeap = isLeap(start.wall, start.mark);
  return {
    needed,
    policies,
    reloads,
    store,
    identifier,
    metrics,
    authz,
    holds,
    drafts,
    alarm,
    feed,
    certificateEnds,
    startMs,
    isAfterLeap,
    allLoaded: loading.open,
  };
}

/** All changes that anybody makes lie between the two: the doors open after the one and close before the other. */
async function writeStartAndStop({ version }: Given, life: LifeCycle, { needed, policies }: Core): Promise<void> {
  const write = (transition: Transition) => {
    const now = needed.clock.read().wall;
    return needed.store.change(now, (change) => change.record({ kind: 'system' }, transition));
  };
  await write({ action: 'service.started', version, policyDigest: policies.current.digest });
  life.hold('stop entry', null, () => write({ action: 'service.stopped' }));
}

/** What tidies up behind the service. */
async function startUpkeep(
  { config, log, mono = () => performance.now() }: Given,
  life: LifeCycle,
  { needed, reloads, store, alarm, isAfterLeap }: Core,
): Promise<void> {
  const tidying = keepTidy({ needed, keepDecisions: config.decisions.keep, waitFirst: isAfterLeap, alarm });
  life.hold('tidying', tidying, (open) => open.close());
  reloads.start().catch(alarm);
  life.hold('policies', reloads, (open) => open.close());
  life.hold('verification', verifyBeside({ store, log, alarm, mono }), (open) => open.close());
}

/**
 * The decision log begins when all modules are there. With Node 20 a commit of lmdb in the midst of loading a package in
 * CommonJS can leave it loaded by halves, and the start ends with a `TypeError` (seen about once in a hundred starts under
 * load).
 */
function latch(): { readonly done: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const done = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { done, open };
}

/** How long running calls may take when the service ends. */
const GRACE_MS = 2_000;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function openStore(
  { data, storage: { allowVolatile } }: Config,
  { macKey, wall, life }: { macKey: Buffer; wall: () => number; life: LifeCycle },
): Promise<LmdbStore> {
  return starting('data', () =>
    openLmdbStore({
      folder: data,
      macKey,
      now: () => wall() as Instant,
      onFailStop: (cause) => life.failStop(cause),
      allowVolatile,
    }),
  );
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
