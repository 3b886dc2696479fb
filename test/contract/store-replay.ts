import { expect, test } from 'vitest';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Snapshot, Store } from '../../src/store/store.js';
import { alice, at, grant, lock, lockId, ordersDb, request, requestId, review, token } from '../builders.js';
import { grantId, recordAll, recorded } from '../store-scenes.js';

/** Writes the transitions of entries into a store that is empty. */
export async function replay(entries: readonly AuditEntry[], into: Store): Promise<void> {
  for (const { at: time, actor, transition } of entries) {
    await into.change(time, (change) => change.record(actor, transition));
  }
}

/** Everything a snapshot answers, in one value; locks and pending requests in an order of their own. */
export function answersOf(s: Snapshot, ms: number): unknown {
  const now = at(ms);
  const byId = <T extends { readonly id: string }>(items: readonly T[]) =>
    items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const requests = s.requests({ limit: 500 }).items;
  return {
    sequence: s.sequence,
    locks: byId(s.locks()),
    grants: s.grants({ limit: 500 }).items,
    unexpired: s.grants({ limit: 500, unexpiredAt: now }).items,
    requests,
    pending: s.requests({ limit: 500, pendingAt: now }).items,
    reviews: requests.map(({ id }) => s.reviewsOf(id)),
    tokens: s.tokens({ limit: 500 }).items,
    forAlice: s.grantsFor(alice, ordersDb, now),
    waiting: s.pendingFor(alice, ordersDb, now),
    entries: s.entries(1, 10_000),
  };
}

/** each transition has its entry, each entry its transition, and together they are the state. */
export function describeReplay(store: () => Store): void {
  test('replaying the audit entries into an empty store gives the same answers', async () => {
    const settled = { state: 'approved', at: at(3) } as const;
    await recorded(store(), 0, { action: 'request.created', request: request() });
    await recorded(store(), 1, { action: 'request.created', request: request({ id: requestId(2) }) });
    await recorded(
      store(),
      3,
      { action: 'review.given', review: review() },
      { action: 'request.approved', request: request({ settled }) },
      { action: 'grant.created', grant: grant() },
    );
    await store()
      .change(at(4), (change) => {
        recordAll(change, [{ action: 'lock.created', lock: lock() }]);
        throw new Error('never happened');
      })
      .catch(() => undefined);
    await recorded(
      store(),
      5,
      { action: 'lock.created', lock: lock() },
      { action: 'lock.created', lock: lock({ id: lockId(2) }) },
    );
    await recorded(store(), 6, { action: 'lock.removed', lock: lock() }, { action: 'token.created', token: token() });
    await recorded(store(), 7, {
      action: 'grant.ended',
      grant: grant({ end: { reason: 'returned', at: at(7), by: 'alice', why: '' } }),
    });
    await recorded(
      store(),
      8,
      { action: 'grant.created', grant: grant({ id: grantId(5) }) },
      { action: 'service.stopped' },
    );

    const again = memoryStore();
    await replay(
      store().read((s) => s.entries(1, 100)),
      again,
    );
    expect(store().read((s) => answersOf(s, 9))).toEqual(again.read((s) => answersOf(s, 9)));
    expect(store().highWaterMark()).toBe(again.highWaterMark());
  });
}
