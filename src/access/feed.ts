import type { AuditEntry } from '../domain/audit-entry.js';
import type { Change, Store } from '../store/store.js';

/** Hears of what has been committed, in one call for each commit, in the order of the commits. */
type Listener = (entries: readonly AuditEntry[]) => void;

/** Tells whoever listens in this process of every transition, once it is on disk and before its maker hears that it is. */
export interface Feed {
  /** Begins with the next commit. Returns what ends it. */
  listen(listener: Listener): () => void;
}

/**
 * A store that tells what it commits. It tells at most once: what happened while nobody listened, or before a restart, is
 * found in the entries. A listener that throws harms neither the others nor whoever made the change.
 */
export function publishing(
  store: Store,
  alarm: (cause: unknown) => void,
): { readonly store: Store; readonly feed: Feed } {
  const listeners = new Set<Listener>();

  function publish(entries: readonly AuditEntry[]): void {
    if (entries.length === 0) return;
    for (const listener of listeners) {
      try {
        listener(entries);
      } catch (error) {
        alarm(error);
      }
    }
  }

  return {
    store: {
      read: (use) => store.read(use),
      async change(at, use) {
        let entries: AuditEntry[] = [];
        const result = await store.change(at, (change) => {
          entries = [];
          return use(noting(change, (entry) => entries.push({ v: 1, at, ...entry })));
        });
        publish(entries);
        return result;
      },
      recordDecisions: (batch) => store.recordDecisions(batch),
      decisions: (query) => store.decisions(query),
      decision: (id) => store.decision(id),
      dropDecisions: (before, signal) => store.dropDecisions(before, signal),
      highWaterMark: () => store.highWaterMark(),
      forgetAnswers: (before, signal) => store.forgetAnswers(before, signal),
      dropDrafts: (now, signal) => store.dropDrafts(now, signal),
      close: () => store.close(),
    },
    feed: {
      listen(listener) {
        // Another function each time, so that one who listens twice can end once.
        const own: Listener = (entries) => listener(entries);
        listeners.add(own);
        return () => listeners.delete(own);
      },
    },
  };
}

/** The same change, with what is recorded in it noted. */
function noting(change: Change, note: (entry: Pick<AuditEntry, 'sequence' | 'actor' | 'transition'>) => void): Change {
  const record: Change['record'] = (actor, transition) => {
    const sequence = change.nextSequence;
    change.record(actor, transition);
    note({ sequence, actor, transition });
  };
  return new Proxy(change, {
    get(target, name) {
      if (name === 'record') return record;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
