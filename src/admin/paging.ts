import type { PageWish } from '../access/list-page.js';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import { AccessError } from '../domain/errors.js';
import type { Sha256 } from '../domain/request.js';

/** A listing as a caller asked for it: its name, the filters, the page. */
export interface Listing {
  readonly name: string;
  readonly query: { readonly limit: number; readonly cursor?: string | undefined };
  readonly sha256: Sha256;
}

/**
 * One page of a listing. Cursors are bound to listing and filters, so that a page of one list is never mistaken for a
 * place in another; they are no secret and give no right to see anything.
 *
 * @throws {AccessError} `invalid_request` for a cursor that was not made here for this very listing
 */
export function listPage<T, V>(
  listing: Listing,
  list: (page: PageWish) => { readonly items: readonly T[]; readonly next: string | null },
  view: (item: T) => V,
): { items: V[]; next: string | null } {
  const { limit, cursor } = listing.query;
  const { items, next } = list({ limit, after: cursor === undefined ? undefined : placeOf(cursor, listing) });
  return { items: items.map(view), next: next === null ? null : cursorAt(next, listing) };
}

function cursorAt(place: string, listing: Listing): string {
  return Buffer.from(`${checksum(place, listing)}${place}`).toString('base64url');
}

function placeOf(cursor: string, listing: Listing): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const place = text.slice(CHECKSUM_LENGTH);
  if (cursorAt(place, listing) === cursor) return place;
  throw new AccessError(
    'invalid_request',
    'the cursor belongs to another listing; take `next` from the page before and keep the filters',
  );
}

const CHECKSUM_LENGTH = 12;

function checksum(place: string, { name, query, sha256 }: Listing): string {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  const text = canonicalJson([name, place, Object.fromEntries(given) as Canonical]);
  return Buffer.from(sha256(Buffer.from(text)))
    .toString('base64url')
    .slice(0, CHECKSUM_LENGTH);
}
