import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { pageOfList } from './list-page.js';

const all = ['a', 'b', 'c', 'd', 'e'];
const identity = (text: string) => text;

test('pages end where there is nothing more', () => {
  expect(pageOfList(all, { limit: 2 }, identity, 'ascending')).toEqual({ items: ['a', 'b'], next: 'b' });
  expect(pageOfList(all, { limit: 2, after: 'b' }, identity, 'ascending')).toEqual({ items: ['c', 'd'], next: 'd' });
  expect(pageOfList(all, { limit: 2, after: 'd' }, identity, 'ascending')).toEqual({ items: ['e'], next: null });
  expect(pageOfList(all, { limit: 5 }, identity, 'descending')).toEqual({ items: all.toReversed(), next: null });
});

test('a page begins at the right place when the thing that the one before ended with has gone', () => {
  const rest = all.filter((one) => one !== 'b');
  expect(pageOfList(rest, { limit: 2, after: 'b' }, identity, 'ascending').items).toEqual(['c', 'd']);
  expect(pageOfList(rest, { limit: 2, after: 'b' }, identity, 'descending').items).toEqual(['a']);
});

test('the pages together are the whole list, whatever the limit', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ maxLength: 3 })), fc.integer({ min: 1, max: 5 }), (list, limit) => {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = pageOfList(list, { limit, after }, identity, 'descending');
        seen.push(...page.items);
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(seen).toEqual([...list].sort((a, b) => (a < b ? 1 : -1)));
    }),
    runs(200),
  );
});
