import { AccessError } from '../domain/errors.js';
import type { Instant } from '../domain/time.js';
import type { Cursor, Page } from './store.js';

/** What lists are sorted by, newest first; of the same moment, the greatest id first. */
export interface Position {
  readonly at: Instant;
  readonly id: string;
}

/** A limit above this is an error, and so is one below 1. */
const MAX_LIMIT = 500;

/** How much of a list one page looks at when it finds nothing to keep. */
const MAX_LOOKS = 1_000;

function cursorAt({ at, id }: Position): Cursor {
  return `${at}.${id}` as Cursor;
}

/** @throws {AccessError} `invalid_request`; cursors come back from clients */
export function positionOf(cursor: Cursor): Position {
  const [, at, id] = /^(\d{1,16})\.([a-z]{2,4}_[0-9a-z]{26})$/.exec(cursor) ?? [];
  if (at === undefined || !Number.isSafeInteger(Number(at))) {
    throw new AccessError(
      'invalid_request',
      `${JSON.stringify(cursor)} is not the end of a page; take \`next\` from the page before`,
    );
  }
  return { at: Number(at) as Instant, id: id! };
}

/** Negative when `a` comes before `b`. */
export function newestFirst(a: Position, b: Position): number {
  return b.at - a.at || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1);
}

export interface Wanted<T> {
  readonly limit: number;
  readonly after?: Cursor | undefined;
  readonly keep?: ((item: T) => boolean) | undefined;
}

/**
 * One page of `listed`, which is sorted newest first and may begin before the cursor. `load` is asked for as many as one
 * page may look at; undefined from it is a refusal like one of `keep`.
 */
export function pageOf<P extends Position, T>(
  listed: Iterable<P>,
  { limit, after, keep }: Wanted<T>,
  load: (listed: P) => T | undefined,
): Page<T> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new AccessError('invalid_request', `expected a limit from 1 to ${MAX_LIMIT}, got ${limit}`);
  }
  const start = after === undefined ? null : positionOf(after);
  const items: T[] = [];
  let looks = 0;
  let last: P | null = null;
  for (const position of listed) {
    if (start !== null && newestFirst(position, start) <= 0) continue;
    if (items.length === limit || looks === MAX_LOOKS) return { items, next: cursorAt(last!) };
    looks += 1;
    last = position;
    const item = load(position);
    if (item !== undefined && (keep?.(item) ?? true)) items.push(item);
  }
  return { items, next: null };
}
