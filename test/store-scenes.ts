import { createHash } from 'node:crypto';
import type { Transition } from '../src/domain/audit-entry.js';
import type { DecisionRecord } from '../src/domain/decision-record.js';
import { base32, type GrantId, type RequestId } from '../src/domain/ids.js';
import type { Change, Store } from '../src/store/store.js';
import { action, actorFor, alice, at, ordersDb, person } from './builders.js';

/** Whoever does things in store tests; the store does not care. */
export const somebody = actorFor('alice');

/** Ids that look like the real ones, told apart by a number. */
export const grantId = (n: number) => `gr_${String(n).padStart(26, '0')}` as GrantId;

/** Records transitions in one change at `at(ms)`. */
export const recorded = (store: Store, ms: number, ...transitions: readonly Transition[]) =>
  store.change(at(ms), (change) => recordAll(change, transitions));

export function recordAll(change: Change, transitions: readonly Transition[]): void {
  for (const transition of transitions) change.record(somebody, transition);
}

/** A deny to alice on orders-db at `at(ms)`. Its id carries that time, as every decision's does; `n` tells twins apart. */
export function decision(ms: number, n = 0, over: Partial<DecisionRecord> = {}): DecisionRecord {
  const bytes = createHash('sha256').update(String(n)).digest().subarray(0, 16);
  bytes.writeUIntBE(at(ms), 0, 6);
  return {
    id: `dec_${base32(bytes)}` as DecisionRecord['id'],
    at: at(ms),
    effect: 'deny',
    reason: 'no_grant',
    subject: alice,
    person: person('alice'),
    resource: ordersDb,
    actions: [action('access')],
    grantId: null,
    requestId: null as RequestId | null,
    policy: null,
    lockId: null,
    source: '10.0.0.17:50123',
    request: null,
    message: null,
    asOf: 0,
    ...over,
  };
}
