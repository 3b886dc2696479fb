import type { AuditEntry } from '../domain/audit-entry.js';
import type { GuardId, GuardName } from '../domain/session.js';
import type { Instant } from '../domain/time.js';
import type { Store } from '../store/store.js';

const PAGE = 200;
/** Looked at most. Whatever is in contact turns up more often than that, by its sessions. */
const MAX_ENTRIES = 20_000;

/** A guard that may still hold sessions from before this start. */
export interface Recalled {
  readonly name: GuardName;
  /** Until when the service may have spoken to it. */
  readonly until: Instant;
}

/**
 * Guards that were in contact before the service ended and have had no time yet to come back, from the entries. Without them
 * a revocation just after a restart would count as applied where nobody has been told.
 *
 * Runs are looked at from the last one back to the first that was long enough for every guard to come back or be gone.
 */
export async function recallGuards(
  store: Pick<Store, 'read'>,
  { now, goneAfter }: { readonly now: Instant; readonly goneAfter: number },
): Promise<readonly Recalled[]> {
  const found = new Map<GuardId, GuardName | null>();
  const walk = { until: null as Instant | null, laterStart: now };
  let end = store.read((snapshot) => snapshot.sequence);
  for (let looked = 0; end > 0 && looked < MAX_ENTRIES; looked += PAGE) {
    const from = Math.max(1, end - PAGE + 1);
    const entries = store.read((snapshot) => snapshot.entries(from, end - from + 1));
    for (const entry of entries.toReversed())
      if (isOver(entry, walk, goneAfter)) return recalled(found, walk.until, now);
      else note(entry, found);
    end = from - 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return recalled(found, walk.until, now);
}

/** Goes back over starts and stops; true where a run began that was long enough. */
function isOver(
  { at, transition }: AuditEntry,
  walk: { until: Instant | null; laterStart: Instant },
  goneAfter: number,
): boolean {
  // The last run has ended in order: after that it spoke to nobody.
  if (transition.action === 'service.stopped') walk.until ??= at;
  if (transition.action !== 'service.started') return false;
  if (walk.laterStart - at > goneAfter) return true;
  walk.laterStart = at;
  return false;
}

/** The newest word of a guard counts, and comes first. */
function note({ transition }: AuditEntry, found: Map<GuardId, GuardName | null>): void {
  if (transition.action === 'guard.left' && !found.has(transition.guard.id)) found.set(transition.guard.id, null);
  if (transition.action === 'guard.joined' && found.get(transition.guard.id) !== null)
    found.set(transition.guard.id, transition.guard);
  if (transition.action !== 'session.opened') return;
  const { guard: id, node } = transition.session;
  if (!found.has(id)) found.set(id, { id, node, cluster: '', envoyVersion: '' });
}

function recalled(found: Map<GuardId, GuardName | null>, until: Instant | null, now: Instant): readonly Recalled[] {
  return [...found.values()].flatMap((name) => (name === null ? [] : [{ name, until: until ?? now }]));
}
