import { describe, expect, test } from 'vitest';
import type { Draft } from '../../src/domain/draft.js';
import type { DraftQuery, Store } from '../../src/store/store.js';
import { alice, at, bob, draft, draftId } from '../builders.js';
import { allPages } from './store-lists.js';

/** What is left of refused connections. */
export function describeDrafts(store: () => Store): void {
  const keep = (ms: number, ...drafts: readonly Partial<Draft>[]) =>
    store().change(at(ms), (change) => drafts.forEach((over) => change.keepDraft(draft(over))));
  const list = (query: Partial<DraftQuery> = {}) =>
    store()
      .read((s) => s.drafts({ limit: 100, damaged: unexpected, ...query }))
      .items.map(({ id }) => id);
  const numbered = (n: number, over: Partial<Draft> = {}) => ({ id: draftId(n), createdAt: at(n), ...over });

  describe('drafts', () => {
    test('are found by id, and kept anew under the same one', async () => {
      await keep(1, {});
      expect(store().read((s) => [s.draft(draftId()), s.draft(draftId(2))])).toEqual([draft(), undefined]);
      const again = { count: 7, lastAt: at(9), expiresAt: at(99), reason: 'expired' } as const;
      await keep(9, again);
      expect(store().read((s) => s.draft(draftId()))).toEqual(draft(again));
      expect([list(), list({ subject: alice }), store().read((s) => s.draftCount())]).toEqual([
        [draftId()],
        [draftId()],
        1,
      ]);
    });

    test('are listed newest first, all or those of one subject, page by page', async () => {
      await keep(1, numbered(1), numbered(2, { subject: bob }), numbered(3), numbered(4));
      expect(list()).toEqual([4, 3, 2, 1].map(draftId));
      expect(list({ subject: bob })).toEqual([draftId(2)]);
      const keepOdd = ({ id }: Draft) => id !== draftId(3);
      const pages = allPages((after) =>
        store().read((s) => s.drafts({ limit: 1, after, subject: alice, keep: keepOdd, damaged: unexpected })),
      );
      expect(pages.flat().map(({ id }) => id)).toEqual([4, 1].map(draftId));
    });

    test('one that begins anew is listed at its new place alone', async () => {
      await keep(1, numbered(1), numbered(2));
      await keep(5, { id: draftId(1), createdAt: at(5) });
      expect(list()).toEqual([1, 2].map(draftId));
      expect(list({ subject: alice })).toEqual([1, 2].map(draftId));
    });

    test('are counted and told by their end, also within the change that writes them', async () => {
      const ending = (n: number, ms: number) => numbered(n, { expiresAt: at(ms) });
      await keep(1, ending(1, 300), ending(2, 100), ending(3, 200));
      const seen = await store().change(at(2), (change) => {
        change.keepDraft(draft(ending(4, 50)));
        change.removeDraft(draftId(2));
        return [change.draftCount(), change.draftsEndingFirst(2), change.draft(draftId(2))];
      });
      expect(seen).toEqual([3, [4, 3].map(draftId), undefined]);
      expect(store().read((s) => [s.draftCount(), s.draftsEndingFirst(9)])).toEqual([3, [4, 3, 1].map(draftId)]);
    });

    test('follow an end that has moved', async () => {
      await keep(1, numbered(1, { expiresAt: at(10) }), numbered(2, { expiresAt: at(20) }));
      await keep(2, numbered(1, { expiresAt: at(30) }));
      expect(store().read((s) => s.draftsEndingFirst(9))).toEqual([2, 1].map(draftId));
    });

    test('that were removed are gone, and removing what is not there is nothing', async () => {
      await keep(1, numbered(1), numbered(2));
      await store().change(at(3), (change) => change.removeDraft(draftId(1)));
      await store().change(at(3), (change) => change.removeDraft(draftId(9)));
      expect([list(), list({ subject: alice })]).toEqual([[draftId(2)], [draftId(2)]]);
    });

    test('come of no transition: they have no entry, and the sequence stays', async () => {
      await keep(7, {});
      await store().change(at(8), (change) => change.removeDraft(draftId()));
      expect(store().read((s) => [s.sequence, s.entries(1, 10)])).toEqual([0, []]);
      expect(store().highWaterMark()).toBe(at(8));
    });

    test('of a change that throws are as they were', async () => {
      await keep(1, numbered(1));
      const failing = store().change(at(2), (change) => {
        change.removeDraft(draftId(1));
        change.keepDraft(draft(numbered(2)));
        throw new Error('mistake');
      });
      await expect(failing).rejects.toThrow('mistake');
      expect(list()).toEqual([draftId(1)]);
    });

    test('dropDrafts() drops those that have expired, from the very instant on', async () => {
      await keep(1, ...[9, 10, 11].map((ms) => numbered(ms, { expiresAt: at(ms) })));
      await store().dropDrafts(at(10));
      expect(list()).toEqual([draftId(11)]);
      expect(store().read((s) => s.draftCount())).toBe(1);
    });

    test('dropDrafts() drops very many, until it is told to end', async () => {
      const many = Array.from({ length: 450 }, (_, n) => numbered(n, { expiresAt: at(n % 7) }));
      await keep(1, ...many);
      await store().dropDrafts(at(100), AbortSignal.abort());
      await store().dropDrafts(at(100));
      expect(list()).toEqual([]);
      expect(store().read((s) => [s.draftCount(), s.draftsEndingFirst(9)])).toEqual([0, []]);
    });
  });
}

function unexpected(cause: unknown): never {
  throw cause;
}
