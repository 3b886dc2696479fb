import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isDeepStrictEqual } from 'node:util';
import type { Grant } from '../domain/grant.js';
import type { Lock } from '../domain/lock.js';
import {
  alice,
  at,
  bob,
  draft,
  draftId,
  grant,
  lock,
  lockId,
  ordersDb,
  request,
  requestId,
  review,
  token,
} from '../../test/builders.js';
import { flipped, forged, recordsIn, tamper, type Lying } from '../../test/store-damage.js';
import { macKey, openTestStore, removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { decision, grantId, recorded } from '../../test/store-scenes.js';
import { codecWith } from './codec.js';
import { openNamed, openRoot } from './environment.js';
import {
  draftByCreationKey,
  draftKey,
  entryKey,
  grantByCreationKey,
  grantKey,
  HEAD_KEY,
  KIND,
  lockKey,
} from './keys.js';
import type { LmdbStore } from './lmdb.js';
import { DamagedError } from './store.js';

let folder: string;
let whole: readonly Lying[];
afterAll(() => removeFolder(folder));

const revoked = grant({ id: grantId(1), end: { reason: 'revoked', at: at(5), by: 'bob', why: '' } });
const active = grant({ id: grantId(2), subject: bob });

beforeAll(async () => {
  folder = temporaryFolder();
  const store = await openTestStore(folder);
  await recorded(store, 1, { action: 'request.created', request: request({ id: requestId(1) }) });
  await recorded(
    store,
    2,
    { action: 'request.created', request: request({ id: requestId(2), subject: bob }) },
    { action: 'review.given', review: review() },
    { action: 'grant.created', grant: { ...revoked, end: null } },
    { action: 'grant.created', grant: active },
    { action: 'lock.created', lock: lock({ id: lockId(1) }) },
    { action: 'lock.created', lock: lock({ id: lockId(2), target: { kind: 'resource', resource: ordersDb } }) },
    { action: 'token.created', token: token() },
  );
  await recorded(store, 5, { action: 'grant.ended', grant: revoked });
  await store.change(at(6), (change) => {
    change.remember('a', 'k', { bodyDigest: 'd', result: 1, at: at(6) });
    change.keepDraft(draft());
    change.keepDraft(draft({ id: draftId(2), createdAt: at(6) }));
  });
  await store.recordDecisions([decision(7)]);
  await store.close();
  whole = await recordsIn(folder);
});

interface Seen {
  readonly locks: readonly Lock[] | 'damaged';
  readonly grants: readonly Grant[] | 'damaged';
}

/** What a check would read, for everybody there is. */
function seenIn(store: LmdbStore): Seen {
  const or = <T>(read: () => T): T | 'damaged' => {
    try {
      return read();
    } catch (error) {
      expect(error).toBeInstanceOf(DamagedError);
      return 'damaged';
    }
  };
  return {
    locks: or(() => store.read((s) => s.locks())),
    grants: or(() => store.read((s) => [alice, bob].flatMap((subject) => s.grantsFor(subject, ordersDb, at(10))))),
  };
}

/** Does something to a closed store, opens it and looks, and repairs it. Null: it did not even open. */
async function after<T>(
  changes: readonly { key: Lying['key']; record: Buffer | null }[],
  look: (store: LmdbStore) => T,
) {
  await tamper(folder, ...changes);
  try {
    const store = await openTestStore(folder).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DamagedError);
      return null;
    });
    if (store === null) return null;
    try {
      return await look(store);
    } finally {
      await store.close();
    }
  } finally {
    await tamper(folder, ...changes.map(({ key }) => ({ key, record: null })), ...whole);
  }
}

const look = async (store: LmdbStore) => ({ ...seenIn(store), found: (await store.verifyAll()).damaged });

test('the scene has two locks, a revoked grant and an active one', async () => {
  expect(await after([], seenIn)).toEqual({
    locks: [expect.objectContaining({ id: lockId(1) }), expect.objectContaining({ id: lockId(2) })],
    grants: [revoked, active],
  });
});

/** No damage may turn a deny into an allow: all locks or none are answered, and every grant answered is as it was. */
function expectNoNewAccess(seen: Seen): void {
  if (seen.locks !== 'damaged') expect(seen.locks).toHaveLength(2);
  if (seen.grants === 'damaged') return;
  for (const one of seen.grants) expect([revoked, active].some((known) => isDeepStrictEqual(known, one))).toBe(true);
}

const isRewritten = (key: Lying['key']) => key[0] === KIND.selfTest; // at every start

test('no record that is lost gives access, and every loss is found', async () => {
  for (const { key } of whole) {
    const seen = await after([{ key, record: null }], look);
    if (seen === null) continue;
    expectNoNewAccess(seen);
    if (!isRewritten(key)) expect([key.toString('hex'), seen.found]).not.toEqual([key.toString('hex'), []]);
    if (key[0] === KIND.lock || key[0] === KIND.head) expect(seen.locks).toBe('damaged');
  }
});

test('no flipped bit gives access, and every one is found', async () => {
  for (const [index, lying] of whole.entries()) {
    // Somewhere in version, body and MAC, another place in each record.
    const seen = await after([flipped(lying, (index * 37) % (lying.record.length * 8))], look);
    if (seen === null) continue;
    expectNoNewAccess(seen);
    if (!isRewritten(lying.key))
      expect([lying.key.toString('hex'), seen.found]).not.toEqual([lying.key.toString('hex'), []]);
    if (lying.key[0] === KIND.lock || lying.key[0] === KIND.head) expect(seen.locks).toBe('damaged');
    if (lying.key[0] === KIND.grant) expect(seen.grants).toBe('damaged');
  }
});

describe('the set of locks', () => {
  const locksAfter = async (...changes: readonly { key: Lying['key']; record: Buffer | null }[]) =>
    (await after(changes, seenIn))?.locks;
  const value = (n: number) => ({ ...lock({ id: lockId(n) }) }) as never;

  test('that has one more, with a proper MAC, is damaged', async () => {
    expect(await locksAfter(forged(lockKey(lockId(3)), value(3)))).toBe('damaged');
  });

  test('in which one was changed, with a proper MAC, is damaged', async () => {
    const harmless = { ...lock({ id: lockId(1), expiresAt: at(0) }) } as never;
    expect(await locksAfter(forged(lockKey(lockId(1)), harmless))).toBe('damaged');
  });

  test('that is empty although two were made is damaged', async () => {
    expect(await locksAfter({ key: lockKey(lockId(1)), record: null }, { key: lockKey(lockId(2)), record: null })).toBe(
      'damaged',
    );
  });

  test('cannot be sealed anew over a loss by making or removing another lock', async () => {
    const outcome = await after([{ key: lockKey(lockId(1)), record: null }], async (store) => {
      const making = recorded(store, 20, { action: 'lock.created', lock: lock({ id: lockId(3) }) });
      await expect(making).rejects.toThrow(DamagedError);
      const removing = recorded(store, 20, { action: 'lock.removed', lock: lock({ id: lockId(2) }) });
      await expect(removing).rejects.toThrow(DamagedError);
      return seenIn(store).locks;
    });
    expect(outcome).toBe('damaged');
  });

  test('does not keep a revocation from being written', async () => {
    const end = { reason: 'revoked', at: at(9), by: 'bob', why: '' } as const;
    const grants = await after([{ key: lockKey(lockId(1)), record: null }], async (store) => {
      await recorded(store, 20, { action: 'grant.ended', grant: { ...active, end } });
      return store.read((s) => s.grant(active.id));
    });
    expect(grants?.end).toEqual(end);
    await tamper(folder, ...whole); // the change has written more than was taken away
    const extra = (await recordsIn(folder)).filter(({ key }) => !whole.some((one) => one.key.equals(key)));
    await tamper(folder, ...extra.map(({ key }) => ({ key, record: null })));
  });
});

test('without its head record a store answers nothing that a check could use', async () => {
  const seen = await after([{ key: HEAD_KEY, record: null }], seenIn);
  expect([null, { locks: 'damaged', grants: 'damaged' }]).toContainEqual(seen);
});

test('a lost lock is not simply absent when it is asked for by id', async () => {
  const asking = await after([{ key: lockKey(lockId(1)), record: null }], (store) => {
    expect(() => store.read((s) => s.lock(lockId(1)))).toThrow(DamagedError);
    return 'asked';
  });
  expect(asking).toBe('asked');
});

test('a lost audit entry is told by whoever asks for it, and by nobody else', async () => {
  for (const lost of [1, 4, 9]) {
    await after([{ key: entryKey(lost), record: null }], (store) => {
      expect(() => store.read((s) => s.entries(1, 100))).toThrow(`audit entry ${lost} is missing`);
      expect(() => store.read((s) => s.entries(lost, 1))).toThrow(DamagedError);
      if (lost > 1) expect(store.read((s) => s.entries(1, lost - 1))).toHaveLength(lost - 1);
    });
  }
});

describe('records with a proper MAC in the wrong place', () => {
  test('an index entry that leads nowhere is found', async () => {
    const dangling = forged(grantByCreationKey(at(1), grantId(77)), null);
    const outcome = await after([dangling], async (store) => {
      expect(() => store.read((s) => s.grants({ limit: 10 }))).toThrow(DamagedError);
      return (await store.verifyAll()).damaged;
    });
    expect(outcome).toHaveLength(1);
  });

  test('an index entry that tells another time of creation is damage', async () => {
    await after([forged(grantByCreationKey(at(99), active.id), null)], (store) => {
      expect(() => store.read((s) => s.grants({ limit: 10 }))).toThrow(DamagedError);
    });
  });

  test('a grant under the id of another is damage', async () => {
    const { record } = whole.find(({ key }) => key.equals(grantKey(active.id)))!;
    const seen = await after([{ key: grantKey(revoked.id), record }], seenIn);
    expect(seen?.grants).toBe('damaged');
  });

  test('a grant that does not belong to its index entry is damage', async () => {
    const moved = forged(grantKey(revoked.id), { ...active, id: revoked.id } as never);
    expect((await after([moved], seenIn))?.grants).toBe('damaged');
  });

  test('a head record of the past does not match the locks', async () => {
    const past = forged(HEAD_KEY, {
      sequence: 1,
      highWaterMark: at(1),
      batches: 0,
      locks: { count: 0, digest: 'e3b0c442' },
    });
    expect((await after([past], seenIn))?.locks).toBe('damaged');
  });
});

test('a damaged batch of decisions is told, by lists, by id and by the look at everything', async () => {
  const flipBit = async () => {
    const root = openRoot(folder);
    const decisions = openNamed(root, 'decisions');
    const [{ key, value } = { key: Buffer.of(), value: Buffer.of() }] = [...decisions.getRange({})];
    await decisions.put(key, flipped({ key: key as Lying['key'], record: value }, 50).record);
    await root.close();
  };
  await flipBit();
  const store = await openTestStore(folder);
  expect(() => store.decisions({ limit: 1 })).toThrow(DamagedError);
  expect(() => store.decision(decision(7).id)).toThrow(DamagedError);
  expect((await store.verifyAll()).damaged).toHaveLength(1);
  await store.close();
  await flipBit();
});

test('decisions in the layout of another release are refused, not taken for something else', async () => {
  const [{ key, value } = { key: Buffer.of(), value: Buffer.of() }] = await withDecisions((kept) => [
    ...kept.getRange({}),
  ]);
  for (const other of [[{ id: decision(7).id, at: 7 }], [1, [decision(7).id]], []]) {
    await withDecisions((kept) => kept.put(key, codecWith(macKey).encode(key as Lying['key'], other)));
    const store = await openTestStore(folder);
    expect(() => store.decisions({ limit: 1 })).toThrow('written by another release');
    await store.close();
  }
  await withDecisions((kept) => kept.put(key, value));
});

async function withDecisions<T>(use: (decisions: ReturnType<typeof openNamed>) => T | Promise<T>): Promise<T> {
  const root = openRoot(folder);
  const result = await use(openNamed(root, 'decisions'));
  await root.close();
  return result;
}

describe('a draft', () => {
  const lies = (n: number) => whole.find(({ key }) => key.equals(draftKey(draftId(n))))!;
  const listed = (store: LmdbStore) => {
    const told: unknown[] = [];
    const { items } = store.read((s) => s.drafts({ limit: 10, damaged: (cause) => told.push(cause) }));
    return { ids: items.map(({ id }) => id), told };
  };
  /** What the test has written besides, which putting the records back does not take away. */
  const tidyUp = async () => {
    const extra = (await recordsIn(folder)).filter(({ key }) => !whole.some((one) => one.key.equals(key)));
    await tamper(folder, ...extra.map(({ key }) => ({ key, record: null })), ...whole);
  };

  test.for([
    ['damaged', () => flipped(lies(1), 99)],
    ['lost', () => ({ key: lies(1).key, record: null })],
    ['another than its index entry says', () => forged(lies(1).key, { ...draft({ createdAt: at(3) }) })],
  ] as const)('that is %s is left out of the list and told; checks and the other drafts go on', async ([, change]) => {
    await after([change()], (store) => {
      const { ids, told } = listed(store);
      expect(ids).toEqual([draftId(2)]);
      expect(told).toEqual([expect.any(DamagedError)]);
      expect(seenIn(store).grants).toEqual([revoked, active]);
    });
  });

  test('that is damaged gives way when it is kept anew, and leaves nothing behind', async () => {
    await after([flipped(lies(1), 99)], async (store) => {
      expect(() => store.read((s) => s.draft(draftId(1)))).toThrow(DamagedError);
      await store.change(at(7), (change) => change.keepDraft(draft({ createdAt: at(7) })));
      expect(listed(store)).toEqual({ ids: [draftId(1), draftId(2)], told: [] });
      expect((await store.verifyAll()).damaged).toEqual([]);
    });
    await tidyUp();
  });

  test('that is damaged goes when its time has come, and when it is removed', async () => {
    for (const go of [
      (store: LmdbStore) => store.dropDrafts(draft().expiresAt),
      (store: LmdbStore) => store.change(at(7), (change) => change.removeDraft(draftId(1))),
    ]) {
      for (const change of [flipped(lies(1), 99), { key: lies(1).key, record: null }]) {
        await after([change], async (store) => {
          await go(store);
          expect(listed(store).told).toEqual([]);
          expect(store.read((s) => s.draft(draftId(1)))).toBeUndefined();
          expect((await store.verifyAll()).damaged).toEqual([]);
        });
        await tidyUp();
      }
    }
  });

  test('an index entry that leads to no draft is told, and hides none', async () => {
    const dangling = forged(draftByCreationKey(at(1), draftId(77)), null);
    await after([dangling], (store) => {
      expect(listed(store).told).toHaveLength(1);
      expect(listed(store).ids).toEqual([draftId(2), draftId(1)]);
    });
  });
});
