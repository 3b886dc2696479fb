/** Which page of a listing somebody wants. */
export interface PageWish {
  /** 1 to 500. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** A page of something that is listed whole, such as locks; `next` is null on the last one. */
export interface ListedPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/**
 * One page of a list that is at hand as a whole, sorted by `keyOf` in one direction. A page begins behind the key that
 * the one before ended with, so nothing is skipped or doubled when that very thing has gone in between.
 */
export function pageOfList<T>(
  all: readonly T[],
  { limit, after }: PageWish,
  keyOf: (item: T) => string,
  direction: 'ascending' | 'descending',
): ListedPage<T> {
  const sign = direction === 'ascending' ? 1 : -1;
  const compare = (a: string, b: string) => sign * (a < b ? -1 : a > b ? 1 : 0);
  const rest = all
    .filter((item) => after === undefined || compare(keyOf(item), after) > 0)
    .toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const items = rest.slice(0, limit);
  return { items, next: rest.length > limit ? keyOf(items.at(-1)!) : null };
}

/** What one look at a thing found. */
export interface Look<T> {
  /** Null when it is not listed. */
  readonly item: T | null;
  /** Rules that were tried to find out. */
  readonly looks: number;
  /** Parts of which the item consists. */
  readonly shown: number;
}

/** What one page may cost, so that no call of anybody holds up the checks: some milliseconds. */
const MAX_LOOKS = 20_000;
const MAX_SHOWN = 1_000;

/**
 * One page of things by name, each looked at only when the page gets to it. The page ends early when it has cost enough,
 * though never before one thing was looked at; so it may be short, even empty, and have a next one.
 */
export function pageOfNamed<V, T>(
  things: ReadonlyMap<string, V>,
  { limit, after }: PageWish,
  look: (thing: V) => Look<T>,
): ListedPage<T> {
  const items: T[] = [];
  let looks = 0;
  let shown = 0;
  let last: string | null = null;
  for (const name of namesBehind(after, things)) {
    if (last !== null && (looks >= MAX_LOOKS || shown >= MAX_SHOWN)) return { items, next: last };
    const found = look(things.get(name)!);
    looks += found.looks;
    if (found.item !== null && items.length === limit) return { items, next: last };
    last = name;
    if (found.item === null) continue;
    items.push(found.item);
    shown += found.shown;
  }
  return { items, next: null };
}

const sorted = new WeakMap<ReadonlyMap<string, unknown>, readonly string[]>();

/** Names in their order. A policy set never changes, so its names are sorted once. */
function namesBehind(after: string | undefined, things: ReadonlyMap<string, unknown>): readonly string[] {
  const names = sorted.get(things) ?? [...things.keys()].sort();
  sorted.set(things, names);
  return after === undefined ? names : names.filter((name) => name > after);
}
