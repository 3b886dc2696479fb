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
