import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { pageOfList, pageOfNamed, type Look } from './list-page.js';

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

const named = new Map(['d', 'b', 'e', 'a', 'c'].map((name) => [name, name]));

/** Looks, and keeps what it was asked about. */
function looking(found: (name: string) => Partial<Look<string>> = () => ({})) {
  const asked: string[] = [];
  const look = (name: string): Look<string> => {
    asked.push(name);
    return { item: name, looks: 1, shown: 1, ...found(name) };
  };
  return { asked, look };
}

test('named things come in the order of their names, and only those that a page gets to are looked at', () => {
  const { asked, look } = looking();
  expect(pageOfNamed(named, { limit: 2 }, look)).toEqual({ items: ['a', 'b'], next: 'b' });
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(pageOfNamed(named, { limit: 3, after: 'b' }, look)).toEqual({ items: ['c', 'd', 'e'], next: null });
});

test('what is not listed takes no room on a page, and a page after which nothing is listed is the last', () => {
  const { look } = looking((name) => (name === 'b' || name > 'c' ? { item: null } : {}));
  expect(pageOfNamed(named, { limit: 2 }, look)).toEqual({ items: ['a', 'c'], next: null });
});

test.for<[string, Partial<Look<string>>, string[]]>([
  ['looks, even with nothing on it', { item: null, looks: 10_000 }, []],
  ['parts to show', { shown: 500 }, ['a', 'b']],
])('a page ends when it has cost enough %s, and the next one goes on there', ([, cost, items]) => {
  const { asked, look } = looking(() => cost);
  expect(pageOfNamed(named, { limit: 5 }, look)).toEqual({ items, next: 'b' });
  expect(asked).toEqual(['a', 'b']);
  expect(pageOfNamed(named, { limit: 5, after: 'b' }, look).next).toBe('d');
});

test('one thing that costs more than a page may is still got past', () => {
  const { look } = looking(() => ({ looks: 1_000_000, shown: 1_000_000 }));
  expect(pageOfNamed(named, { limit: 5 }, look)).toEqual({ items: ['a'], next: 'a' });
});
