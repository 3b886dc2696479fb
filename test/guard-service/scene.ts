import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { publishing } from '../../src/access/feed.js';
import type { GuardNeeds } from '../../src/guard/shared.js';
import type { GuardListener } from '../../src/guard/server.js';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import type { PolicySet } from '../../src/domain/policy.js';
import type { Instant } from '../../src/domain/time.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import { world } from '../world.js';
import { PlayedGuard, until } from './played-guard.js';
import { openGuardSide } from './side.js';

interface Given {
  readonly policies?: PolicySet;
  /** Of an earlier scene: the service has restarted. */
  readonly store?: Store;
  readonly settings?: Partial<GuardNeeds['settings']>;
  readonly listener?: Partial<GuardListener>;
  readonly certificateUntil?: GuardNeeds['certificateUntil'];
  /** Another than the one that stands still. */
  readonly clock?: NonNullable<Parameters<typeof world>[0]>['clock'];
  /** Whoever asks stops it. */
  readonly keep?: boolean;
}

/** A small service with its guards' side on a real socket, and played guards. */
export async function guardScene({
  policies,
  store = memoryStore(),
  settings,
  listener,
  certificateUntil,
  clock,
  keep = false,
}: Given = {}) {
  const alarms: unknown[] = [];
  const alarm = (cause: unknown) => alarms.push(cause);
  const published = publishing(store, alarm);
  const place = world({ store: published.store, ...(policies && { policies }), ...(clock && { clock }) });
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-guards-'));
  const { side, measured, port, ...opened } = await openGuardSide({
    ...place,
    feed: published.feed,
    certificateUntil: certificateUntil ?? (() => (place.clock.read().wall + 10 * 3_600_000) as Instant),
    listener: { target: `unix:${join(folder, 'guard.sock')}`, ...listener },
    settings,
    alarm,
  });
  const address = listener?.target === undefined ? `unix:${join(folder, 'guard.sock')}` : `127.0.0.1:${port}`;
  const guards: PlayedGuard[] = [];
  const stop = async () => {
    for (const guard of guards) guard.close();
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  };
  if (!keep) onTestFinished(stop);
  const guard = (over: Partial<ConstructorParameters<typeof PlayedGuard>[0]> = {}) => {
    const made = new PlayedGuard({ address, ...over });
    guards.push(made);
    return made;
  };
  const live = () => [...side.all()].filter(({ end }) => end === null);
  return {
    ...place,
    side,
    /** Where guards come. */
    address,
    alarms,
    measured,
    stop,
    /** A guard that has not said anything. */
    guard,
    connected: (over: Parameters<typeof guard>[0] = {}) => guard(over).connect(),
    live,
    ended: () => [...side.all()].filter(({ end }) => end !== null),
    liveBecomes: (count: number) =>
      until(() => live().length === count, `${count} live sessions, not ${live().length}`),
    /** Entries about sessions and guards, once they are all written. */
    written: async (action: AuditEntry['transition']['action']) => {
      await until(() => alarms.length === 0 || true, 'nothing');
      await new Promise((resolve) => setTimeout(resolve, 20));
      return place.store
        .read((snapshot) => snapshot.entries(1, 100_000))
        .map(({ transition }) => transition)
        .filter((transition) => transition.action === action);
    },
    sequence: () => place.store.read((snapshot) => snapshot.sequence),
  };
}
