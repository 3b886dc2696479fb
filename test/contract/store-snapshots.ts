import { describe, expect, test } from 'vitest';
import type { Transition } from '../../src/domain/audit-entry.js';
import type { Grant } from '../../src/domain/grant.js';
import type { AccessRequest } from '../../src/domain/request.js';
import type { Change, Store } from '../../src/store/store.js';
import {
  alice,
  at,
  billingApi,
  bob,
  grant,
  lock,
  lockId,
  ordersDb,
  person,
  request,
  requestId,
  review,
  reviewId,
  token,
  tokenId,
} from '../builders.js';
import { grantId, recorded } from '../store-scenes.js';

const created = (one: Grant): Transition => ({ action: 'grant.created', grant: one });
const asked = (one: AccessRequest): Transition => ({ action: 'request.created', request: one });

/** What a check, a review and a login read. */
export function describeSnapshots(store: () => Store): void {
  describe('grantsFor()', () => {
    const ids = (ms: number, subject = alice, resource = ordersDb) =>
      store().read((s) => s.grantsFor(subject, resource, at(ms)).map(({ id }) => id));
    const ending = (n: number, ms: number, over: Partial<Grant> = {}) =>
      created(grant({ id: grantId(n), expiresAt: at(ms), ...over }));

    test('inside a change knows nothing of one that was undone, though it had the same number', async () => {
      const seen = (change: Change) => change.grantsFor(alice, ordersDb, at(0)).map(({ id }) => id);
      const undone = store().change(at(0), (change) => {
        change.record({ kind: 'system' }, ending(1, 100));
        expect(seen(change)).toEqual([grantId(1)]);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      const other = ending(2, 100, { subject: bob });
      await store().change(at(0), (change) => {
        change.record({ kind: 'system' }, other);
        expect(seen(change)).toEqual([]);
      });
      expect(ids(0)).toEqual([]);
    });

    test('leaves a grant out of the unexpired at the very instant it ends, and tells it as the latest of the ended', async () => {
      await recorded(store(), 0, ending(1, 100), ending(2, 200));
      expect(ids(99)).toEqual([grantId(2), grantId(1)]);
      expect(ids(100)).toEqual([grantId(2), grantId(1)]); // 2 lasts, 1 is the latest of the others
      expect(ids(200)).toEqual([grantId(2)]);
    });

    test('has the latest end first, of equal ends the smallest id', async () => {
      await recorded(store(), 0, ending(3, 100), ending(1, 100), ending(2, 300));
      expect(ids(0)).toEqual([grantId(2), grantId(1), grantId(3)]);
    });

    test('has those that were ended early, as they are now', async () => {
      const revoked = grant({ end: { reason: 'revoked', at: at(5), by: 'bob', why: 'left' }, revision: 2 });
      await recorded(store(), 0, created(grant()));
      await recorded(store(), 5, { action: 'grant.ended', grant: revoked });
      expect(store().read((s) => s.grantsFor(alice, ordersDb, at(6)))).toEqual([revoked]);
    });

    test('has none of another subject or resource', async () => {
      await recorded(
        store(),
        0,
        ending(1, 100),
        ending(2, 100, { subject: bob }),
        ending(3, 100, { resource: billingApi }),
      );
      expect([ids(0), ids(0, bob), ids(0, alice, billingApi), ids(0, bob, billingApi)]).toEqual([
        [grantId(1)],
        [grantId(2)],
        [grantId(3)],
        [],
      ]);
    });

    test('follows an end that has moved', async () => {
      await recorded(store(), 0, ending(1, 100), ending(2, 150));
      await recorded(store(), 1, ending(1, 200));
      expect(ids(0)).toEqual([grantId(1), grantId(2)]);
      expect(ids(199)).toEqual([grantId(1), grantId(2)]);
      expect(ids(200)).toEqual([grantId(1)]);
    });
  });

  describe('pendingFor()', () => {
    const ids = (ms: number, subject = alice, resource = ordersDb) =>
      store().read((s) => s.pendingFor(subject, resource, at(ms)).map(({ id }) => id));
    const lapsing = (n: number, ms: number, over: Partial<AccessRequest> = {}) =>
      asked(request({ id: requestId(n), lapsesAt: at(ms), ...over }));

    test('has a request up to the instant before it lapses', async () => {
      await recorded(store(), 0, lapsing(1, 100));
      expect([ids(99), ids(100)]).toEqual([[requestId(1)], []]);
    });

    test.each(['approved', 'denied', 'withdrawn'] as const)('has none that was %s', async (state) => {
      await recorded(store(), 0, lapsing(1, 100), lapsing(2, 100));
      const settled = request({ id: requestId(1), lapsesAt: at(100), settled: { state, at: at(1) }, revision: 3 });
      await recorded(store(), 1, { action: `request.${state}`, request: settled });
      expect(ids(1)).toEqual([requestId(2)]);
      expect(store().read((s) => s.request(requestId(1)))).toEqual(settled);
    });

    test('has none of another subject or resource', async () => {
      await recorded(store(), 0, lapsing(1, 100, { subject: bob }), lapsing(2, 100, { resource: billingApi }));
      expect([ids(0), ids(0, bob), ids(0, alice, billingApi)]).toEqual([[], [requestId(1)], [requestId(2)]]);
    });
  });

  test('locks() has all that were made and not removed, in force or not', async () => {
    const [one, two, three] = [lock(), lock({ id: lockId(2), expiresAt: at(1) }), lock({ id: lockId(3) })];
    await recorded(
      store(),
      0,
      ...[one, two, three].map((made): Transition => ({ action: 'lock.created', lock: made })),
    );
    await recorded(store(), 5, { action: 'lock.removed', lock: three });
    const locks = store().read((s) => s.locks());
    expect(locks).toHaveLength(2);
    expect(locks).toEqual(expect.arrayContaining([one, two]));
    expect(store().read((s) => [s.lock(one.id), s.lock(three.id)])).toEqual([one, undefined]);
  });

  test('a lock made anew under its id takes the place of the old one', async () => {
    await recorded(store(), 0, { action: 'lock.created', lock: lock() });
    await recorded(store(), 1, { action: 'lock.created', lock: lock({ reason: 'worse' }) });
    expect(store().read((s) => s.locks())).toEqual([lock({ reason: 'worse' })]);
  });

  test('reviewsOf() has the reviews of that request in the order in which they were given', async () => {
    const given = [review({ id: reviewId(9) }), review({ id: reviewId(3), person: person('carol') })];
    const other = review({ id: reviewId(1), requestId: requestId(2) });
    await recorded(store(), 0, { action: 'review.given', review: given[0]! });
    await recorded(
      store(),
      1,
      ...[other, given[1]!].map((one): Transition => ({ action: 'review.given', review: one })),
    );
    expect(store().read((s) => s.reviewsOf(requestId(1)))).toEqual(given);
    expect(store().read((s) => s.reviewsOf(requestId(3)))).toEqual([]);
  });

  test('tokens are found by id and by hash, usable or not, and listed newest first', async () => {
    const old = token({ id: tokenId(1), hash: 'aa'.repeat(32) });
    const young = token({ id: tokenId(2), hash: 'bb'.repeat(32), createdAt: at(5) });
    const revoked = { ...old, revokedAt: at(6), revision: 3 };
    await recorded(store(), 0, { action: 'token.created', token: old }, { action: 'token.created', token: young });
    await recorded(store(), 6, { action: 'token.revoked', token: revoked });
    expect(store().read((s) => [s.token(old.id), s.tokenByHash(old.hash), s.tokenByHash(young.hash)])).toEqual([
      revoked,
      revoked,
      young,
    ]);
    expect(store().read((s) => [s.token(tokenId(3)), s.tokenByHash('cc')])).toEqual([undefined, undefined]);
    expect(store().read((s) => s.tokens({ limit: 10 }).items)).toEqual([young, revoked]);
  });

  test('a snapshot is of one moment, and a read within a read of the same one', async () => {
    await recorded(store(), 0, created(grant()));
    const changing = recorded(store(), 1, { action: 'lock.created', lock: lock() });
    store().read((outer) => {
      const inner = store().read((s) => [s.sequence, s.locks()]);
      expect([outer.sequence, outer.locks()]).toEqual(inner);
    });
    await changing;
  });

  test('read() returns what the callback returns and passes on what it throws', () => {
    const mistake = new Error('mistake');
    expect(store().read(() => 7)).toBe(7);
    expect(() =>
      store().read(() => {
        throw mistake;
      }),
    ).toThrow(mistake);
  });

  test('read() refuses a callback that returns a promise', () => {
    expect(() => store().read(async (s) => s.sequence)).toThrow('must be synchronous');
  });
}
