import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { describeChanges } from './store-changes.js';
import { describeDecisions } from './store-decisions.js';
import { describeDrafts } from './store-drafts.js';
import { describeLists } from './store-lists.js';
import { describeReplay } from './store-replay.js';
import { describeSnapshots } from './store-snapshots.js';

/** What every Store promises. Each implementation runs it; a new promise is added here first. */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as Store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    test('a new store is empty', () => {
      expect(store.read((s) => [s.sequence, s.locks(), s.tokens({ limit: 1 }).items, s.entries(1, 10)])).toEqual([
        0,
        [],
        [],
        [],
      ]);
      expect(store.highWaterMark()).toBe(0);
      expect(store.decisions({ limit: 1 })).toEqual({ items: [], next: null });
    });

    describeChanges(() => store);
    describeSnapshots(() => store);
    describeLists(() => store);
    describeDecisions(() => store);
    describeDrafts(() => store);
    describeReplay(() => store);
  });
}
