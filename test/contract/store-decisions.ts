import { describe, expect, test } from 'vitest';
import { hours } from '../../src/domain/time.js';
import type { DecisionQuery, Store } from '../../src/store/store.js';
import { at } from '../builders.js';
import { decision } from '../store-scenes.js';
import { allPages } from './store-lists.js';

const HOUR = hours(1);

/** The log of decisions. */
export function describeDecisions(store: () => Store): void {
  const ids = (query: Partial<DecisionQuery> = {}) =>
    store()
      .decisions({ limit: 100, ...query })
      .items.map(({ id }) => id);

  describe('decisions()', () => {
    test('are newest first, over batches, hours and whatever order they came in', async () => {
      const [first, second, third, fourth] = [decision(5), decision(90), decision(HOUR + 3), decision(3 * HOUR)];
      await store().recordDecisions([third, first]);
      await store().recordDecisions([fourth, second]);
      expect(ids()).toEqual([fourth, third, second, first].map(({ id }) => id));
    });

    test('of one moment come by id', async () => {
      const twins = Array.from({ length: 5 }, (_, n) => decision(7, n));
      await store().recordDecisions(twins);
      expect(ids()).toEqual(
        twins
          .map(({ id }) => id)
          .sort()
          .toReversed(),
      );
    });

    test('are given back as they were', async () => {
      const one = decision(7, 0, { effect: 'allow', reason: null, request: 'GET /ü', asOf: 12 });
      await store().recordDecisions([one]);
      expect(store().decisions({ limit: 1 })).toEqual({ items: [one], next: null });
      expect(store().decision(one.id)).toEqual(one);
    });

    test.each([1, 2, 5, 100])('have everything once, whatever the page (%i)', async (limit) => {
      const all = Array.from({ length: 23 }, (_, n) => decision(n * 61_000 * 7, n));
      for (let n = 0; n < all.length; n += 4) await store().recordDecisions(all.slice(n, n + 4));
      const pages = allPages((after) => store().decisions({ limit, after }));
      expect(pages.flat().map(({ id }) => id)).toEqual(all.toReversed().map(({ id }) => id));
    });

    test('since has the decision of that instant, and none before', async () => {
      await store().recordDecisions([decision(99), decision(100), decision(101)]);
      expect(ids({ since: at(100) })).toEqual([decision(101).id, decision(100).id]);
      expect(ids({ since: at(102) })).toEqual([]);
    });

    test('keep narrows further, and pages of much that is refused still come to an end', async () => {
      await store().recordDecisions(Array.from({ length: 2_500 }, (_, n) => decision(n, n)));
      const pages = allPages((after) =>
        store().decisions({ limit: 10, after, keep: ({ id }) => id === decision(3, 3).id }),
      );
      expect(pages.flat().map(({ id }) => id)).toEqual([decision(3, 3).id]);
      expect(pages.length).toBeGreaterThan(1); // one page looks at so much and no more
    });

    test('by id: found in every hour, and not when there is none', async () => {
      const all = [decision(0), decision(1, 1), decision(99, 2), decision(HOUR, 3), decision(HOUR - 1, 4)];
      await store().recordDecisions(all);
      for (const one of all) expect(store().decision(one.id)).toEqual(one);
      for (const other of [decision(1, 9), decision(9 * HOUR, 9)]) expect(store().decision(other.id)).toBeUndefined();
      expect(store().decision('dec_not-an-id' as never)).toBeUndefined();
    });

    test('raise the high-water mark to the latest of the batch', async () => {
      await store().recordDecisions([decision(5), decision(9), decision(7)]);
      expect(store().highWaterMark()).toBe(at(9));
      await store().recordDecisions([decision(8)]);
      expect(store().highWaterMark()).toBe(at(9));
    });

    test('a batch of nothing is nothing', async () => {
      await store().recordDecisions([]);
      expect(ids()).toEqual([]);
    });

    test('a batch with something unspeakable is refused as a whole', async () => {
      const failing = store().recordDecisions([decision(1), decision(2, 2, { asOf: 0.5 })]);
      await expect(failing).rejects.toThrow('no canonical spelling');
      expect(ids()).toEqual([]);
      expect(store().highWaterMark()).toBe(0);
    });

    test('many hours in one batch are all kept', async () => {
      const all = Array.from({ length: 40 }, (_, n) => decision(n * HOUR, n));
      await store().recordDecisions(all);
      expect(ids()).toEqual(all.toReversed().map(({ id }) => id));
      for (const one of all) expect(store().decision(one.id)).toEqual(one);
    });
  });

  test('hours that are written in turns, many at once, are all kept', async () => {
    const of = (hour: number, n: number) => decision(hour * HOUR + n, n);
    await store().recordDecisions(Array.from({ length: 14 }, (_, hour) => of(hour, 0)));
    await Promise.all([
      store().recordDecisions([of(0, 1), of(30, 1)]), // one written longest ago, and a new one
      store().recordDecisions([of(20, 1), of(21, 1), of(22, 1), of(23, 1)]),
      store().recordDecisions([of(1, 1), of(0, 2)]),
    ]);
    expect(ids()).toHaveLength(22);
    for (const one of [of(0, 0), of(0, 1), of(0, 2), of(13, 0), of(23, 1), of(30, 1)]) {
      expect(store().decision(one.id)).toEqual(one);
    }
  });

  test('hours can be read again and again, while others are written', async () => {
    await store().recordDecisions(Array.from({ length: 20 }, (_, hour) => decision(hour * HOUR, hour)));
    for (let round = 0; round < 20; round++) {
      const writing = store().recordDecisions([decision(round * HOUR + 1, 100 + round)]);
      for (let hour = 0; hour < 20; hour++) expect(ids({ since: at(hour * HOUR), limit: 1 })).toHaveLength(1);
      await writing;
    }
    expect(ids()).toHaveLength(40);
  });

  test('dropDecisions() drops whole hours, and keeps the hour that the instant lies in', async () => {
    await store().recordDecisions([decision(HOUR - 1), decision(HOUR), decision(2 * HOUR - 1), decision(2 * HOUR)]);
    await store().dropDecisions(at(2 * HOUR - 1));
    expect(ids()).toEqual([decision(2 * HOUR), decision(2 * HOUR - 1), decision(HOUR)].map(({ id }) => id));
    await store().dropDecisions(at(2 * HOUR));
    expect(ids()).toEqual([decision(2 * HOUR).id]);
    expect(store().decision(decision(HOUR).id)).toBeUndefined();
  });

  test('dropDecisions() drops as much as there is, in many steps, and none that is new', async () => {
    // Each in a slot of its own.
    const old = Array.from({ length: 1_200 }, (_, n) => decision(n * 100, n));
    await store().recordDecisions([...old, decision(HOUR)]);
    await store().dropDecisions(at(HOUR));
    expect(ids()).toEqual([decision(HOUR).id]);
    for (const one of [old[0]!, old[600]!, old[1_199]!]) expect(store().decision(one.id)).toBeUndefined();
  });

  test('an hour that was dropped can be written again', async () => {
    await store().recordDecisions([decision(0)]);
    await store().dropDecisions(at(5 * HOUR));
    await store().recordDecisions([decision(1)]);
    expect(ids()).toEqual([decision(1).id]);
  });

  test('changes and decisions made at once are all kept', async () => {
    const changes = Array.from({ length: 40 }, (_, n) => store().change(at(n), (change) => change.sequence));
    const batches = Array.from({ length: 40 }, (_, n) => store().recordDecisions([decision(n, n)]));
    await Promise.all([...changes, ...batches]);
    expect(ids()).toHaveLength(40);
    expect(store().highWaterMark()).toBe(at(39));
  });
}
