import { expect, test } from 'vitest';
import { alice, at, billingApi, decisionRecord, ordersDb, prodData, request, subject } from '../../test/builders.js';
import { recorded } from '../../test/store-scenes.js';
import { DRAFT_KEPT, MAX_DRAFTS_OF_SUBJECT } from '../domain/draft.js';
import type { DraftId } from '../domain/ids.js';
import { ACCESS } from '../domain/resource.js';
import { memoryStore } from '../store/memory.js';
import type { Store } from '../store/store.js';
import { keepDrafts, removeCoveredDrafts, type Counted } from './keep-drafts.js';

const idOf = (n: number) => `dft_${String(n).padStart(26, '0')}` as DraftId;

/** A refusal at `at(n)`, of another thing for each number. */
const counted = (n: number, target: Partial<Counted['target']> = {}, over: Partial<Counted> = {}): Counted => ({
  id: idOf(n),
  target: { subject: alice, resource: ordersDb, action: ACCESS, policy: prodData, ...target },
  refused: { decisionId: decisionRecord(n).id, at: at(n), reason: 'no_grant', request: null, source: null },
  count: 1,
  isKnown: false,
  ...over,
});

const damaged = (cause: unknown): never => {
  throw cause;
};
const keeping = (live: readonly number[] = [], most?: number) => ({
  isLive: (id: DraftId) => live.some((n) => idOf(n) === id),
  damaged,
  ...(most !== undefined && { most }),
});
const ids = (store: Store) => store.read((s) => s.drafts({ limit: 500, damaged }).items.map(({ id }) => id));

test('refusals add to the draft that is there, and it lasts from the last of them', async () => {
  const store = memoryStore();
  await keepDrafts(store, [counted(1)], keeping());
  const later = counted(1, {}, { count: 6, isKnown: true, refused: { ...counted(9).refused, reason: 'expired' } });
  expect(await keepDrafts(store, [later], keeping())).toEqual([]);
  expect(store.read((s) => s.draft(idOf(1)))).toMatchObject({
    count: 7,
    createdAt: at(1),
    lastAt: at(9),
    expiresAt: at(9 + DRAFT_KEPT),
    reason: 'expired',
  });
});

test('one that was there and is no longer has been taken away: it is told, and not brought back', async () => {
  const store = memoryStore();
  expect(await keepDrafts(store, [counted(1, {}, { isKnown: true })], keeping())).toEqual([idOf(1)]);
  expect(ids(store)).toEqual([]);
});

test('a refusal from before a request that is written after it leaves nothing', async () => {
  const store = memoryStore();
  await recorded(store, 1, { action: 'request.created', request: request() });
  const other = counted(3, { resource: billingApi });
  expect(await keepDrafts(store, [counted(2), other], keeping())).toEqual([idOf(2)]);
  expect(ids(store)).toEqual([idOf(3)]);
});

test('a request that is bound to one connection leaves the drafts of others alone', async () => {
  const store = memoryStore();
  const binding = { key: 'k', sources: null };
  await recorded(store, 1, { action: 'request.created', request: request({ binding }) });
  expect(await keepDrafts(store, [counted(2)], keeping())).toEqual([]);
  await store.change(at(3), (change) => removeCoveredDrafts(change, request({ binding })));
  expect(ids(store)).toEqual([idOf(2)]);
  await store.change(at(3), (change) => removeCoveredDrafts(change, request()));
  expect(ids(store)).toEqual([]);
});

test('of one subject the one goes that was refused least lately, not one that was refused just now', async () => {
  const store = memoryStore();
  for (let n = 1; n <= MAX_DRAFTS_OF_SUBJECT; n++) await keepDrafts(store, [counted(n)], keeping());
  const others = counted(100, { subject: subject('dave') });
  await keepDrafts(store, [others], keeping());
  expect(ids(store)).toHaveLength(MAX_DRAFTS_OF_SUBJECT + 1);
  // The first is refused all the time, which is not on disk yet.
  await keepDrafts(store, [counted(21)], keeping([1, 21]));
  expect(ids(store)).toHaveLength(MAX_DRAFTS_OF_SUBJECT + 1);
  expect(ids(store)).toContain(idOf(1));
  expect(ids(store)).not.toContain(idOf(2));
});

test('of all together those go that expire first, not those that were refused just now', async () => {
  const store = memoryStore();
  const gone: DraftId[] = [];
  for (let n = 1; n <= 8; n++)
    gone.push(...(await keepDrafts(store, [counted(n, { subject: subject(`user/${n}`) })], keeping([1], 5))));
  expect(ids(store)).toEqual([8, 7, 6, 5, 1].map(idOf));
  expect(gone).toEqual([2, 3, 4].map(idOf));
});

test('where all of them were refused just now, the first goes all the same', async () => {
  const store = memoryStore();
  for (let n = 1; n <= 3; n++)
    await keepDrafts(store, [counted(n, { subject: subject(`user/${n}`) })], keeping([1, 2, 3], 2));
  expect(ids(store)).toEqual([3, 2].map(idOf));
});
