import { describe, expect, test } from 'vitest';
import type { Grant } from '../../src/domain/grant.js';
import type { AccessRequest } from '../../src/domain/request.js';
import type { Cursor, GrantQuery, Page, RequestQuery, Store, TokenQuery } from '../../src/store/store.js';
import { at, grant, person, request, requestId, token, tokenId } from '../builders.js';
import { grantId, recorded } from '../store-scenes.js';

/** All pages of a list, one after the other; fails when they do not end. */
export function allPages<T>(page: (after: Cursor | undefined) => Page<T>): readonly (readonly T[])[] {
  const pages: (readonly T[])[] = [];
  for (let after: Cursor | null | undefined; after !== null;) {
    const { items, next } = page(after);
    pages.push(items);
    after = next;
    if (pages.length > 1_000) throw new Error('the list does not end');
  }
  return pages;
}

/** Lists of requests and grants, and audit entries. */
export function describeLists(store: () => Store): void {
  const makeGrants = (...grants: readonly Partial<Grant>[]) =>
    recorded(store(), 0, ...grants.map((over) => ({ action: 'grant.created' as const, grant: grant(over) })));
  const makeRequests = (...requests: readonly Partial<AccessRequest>[]) =>
    recorded(store(), 0, ...requests.map((over) => ({ action: 'request.created' as const, request: request(over) })));
  const grants = (query: Partial<GrantQuery> = {}) => store().read((s) => s.grants({ limit: 100, ...query }));
  const requests = (query: Partial<RequestQuery> = {}) => store().read((s) => s.requests({ limit: 100, ...query }));
  const ids = (page: Page<{ readonly id: string }>) => page.items.map(({ id }) => id);

  describe('lists', () => {
    test('are newest first, of the same moment the greatest id', async () => {
      await makeGrants(
        { id: grantId(1), createdAt: at(5) },
        { id: grantId(2), createdAt: at(9) },
        { id: grantId(3), createdAt: at(5) },
      );
      expect(ids(grants())).toEqual([2, 3, 1].map(grantId));
    });

    test.each([1, 2, 3, 7, 8])('have everything once, whatever the page (%i)', async (limit) => {
      await makeRequests(...[1, 2, 3, 4, 5, 6, 7].map((n) => ({ id: requestId(n), createdAt: at(n % 3) })));
      const pages = allPages((after) => store().read((s) => s.requests({ limit, after })));
      expect(pages.flat().map(({ id }) => id)).toEqual([5, 2, 7, 4, 1, 6, 3].map(requestId));
      expect(pages.every((page) => page.length <= limit)).toBe(true);
    });

    test('grants and waiting requests are found by their end, the first first, half open', async () => {
      await makeGrants(
        ...[30, 10, 20, 20, 40].map((end, n) => ({ id: grantId(n), createdAt: at(n), expiresAt: at(end) })),
      );
      await makeRequests(...[5, 9].map((end, n) => ({ id: requestId(n), createdAt: at(n), lapsesAt: at(end) })));
      const settled = { state: 'denied', at: at(4) } as const;
      const decided = request({ id: requestId(0), createdAt: at(0), lapsesAt: at(5), settled });
      await recorded(store(), 4, { action: 'request.denied', request: decided });
      const ending = (after: number, until: number, limit = Number.MAX_SAFE_INTEGER) =>
        store().read((s) => s.grantsEnding({ after: at(after), until: at(until) }, limit));
      expect(ending(10, 30)).toEqual([
        { id: grantId(2), at: at(20) },
        { id: grantId(3), at: at(20) },
        { id: grantId(0), at: at(30) },
      ]);
      expect(ending(0, 99, 2).map(({ id }) => id)).toEqual([grantId(1), grantId(2)]);
      expect(ending(40, 99)).toEqual([]);
      expect(store().read((s) => s.requestsLapsing({ after: at(0), until: at(99) }, 9))).toEqual([
        { id: requestId(1), at: at(9) },
      ]);
    });

    test('go on behind the cursor when what stood there has left the list', async () => {
      await makeRequests(...[1, 2, 3].map((n) => ({ id: requestId(n), createdAt: at(n) })));
      const { next } = requests({ limit: 2, pendingAt: at(4) });
      const settled = { state: 'denied', at: at(4) } as const;
      await recorded(store(), 4, {
        action: 'request.denied',
        request: request({ id: requestId(2), createdAt: at(2), settled }),
      });
      expect(ids(requests({ limit: 2, pendingAt: at(4), after: next! }))).toEqual([requestId(1)]);
    });

    test('have what a person has, and nothing of others', async () => {
      await makeGrants({ id: grantId(1) }, { id: grantId(2), person: person('bob') });
      await makeRequests({ id: requestId(1) }, { id: requestId(2), person: person('bob') });
      expect(ids(grants({ person: person('bob') }))).toEqual([grantId(2)]);
      expect(ids(requests({ person: person('bob') }))).toEqual([requestId(2)]);
      expect(ids(grants({ person: person('eve') }))).toEqual([]);
    });

    test('have the tokens of one maker, page by page, and nothing of others', async () => {
      const made = [1, 2, 3, 4].map((n) =>
        token({ id: tokenId(n), hash: `${n}`.repeat(64), createdAt: at(n), createdBy: n === 2 ? 'bob' : 'alice' }),
      );
      await recorded(store(), 0, ...made.map((one) => ({ action: 'token.created' as const, token: one })));
      await recorded(store(), 9, { action: 'token.revoked', token: { ...made[0]!, revokedAt: at(9), revision: 5 } });
      const tokens = (query: Partial<TokenQuery>) =>
        allPages((after) => store().read((s) => s.tokens({ limit: 2, after, ...query }))).map((page) =>
          page.map(({ id }) => id),
        );
      expect(tokens({})).toEqual([
        [tokenId(4), tokenId(3)],
        [tokenId(2), tokenId(1)],
      ]);
      expect(tokens({ maker: 'alice' })).toEqual([[tokenId(4), tokenId(3)], [tokenId(1)]]);
      expect(tokens({ maker: 'ali' })).toEqual([[]]);
    });

    test('tell when the last requests of a person and the last tokens of a maker were made, whatever became of them', async () => {
      await makeRequests(...[3, 1, 2].map((n) => ({ id: requestId(n), createdAt: at(n) })), {
        id: requestId(4),
        createdAt: at(4),
        person: person('bob'),
      });
      const settled = { state: 'withdrawn', at: at(5) } as const;
      await recorded(store(), 5, {
        action: 'request.withdrawn',
        request: request({ id: requestId(3), createdAt: at(3), settled }),
      });
      await recorded(store(), 6, { action: 'token.created', token: token({ createdAt: at(6), revokedAt: at(7) }) });
      const times = (limit: number) => store().read((s) => s.requestTimes(person('alice'), limit));
      expect([times(10), times(3), times(2), times(0)]).toEqual([
        [at(3), at(2), at(1)],
        [at(3), at(2), at(1)],
        [at(3), at(2)],
        [],
      ]);
      expect(store().read((s) => [s.tokenTimes('alice', 9), s.tokenTimes('bob', 9)])).toEqual([[at(6)], []]);
      expect(store().read((s) => s.requestTimes(person('ali'), 9))).toEqual([]);
    });

    test('unexpiredAt has a grant up to the instant before its end', async () => {
      await makeGrants({ id: grantId(1), expiresAt: at(100) }, { id: grantId(2), expiresAt: at(101) });
      expect(ids(grants({ unexpiredAt: at(99) }))).toEqual([grantId(2), grantId(1)]);
      expect(ids(grants({ unexpiredAt: at(100) }))).toEqual([grantId(2)]);
      expect(ids(grants({ unexpiredAt: at(100), person: person('alice') }))).toEqual([grantId(2)]);
      expect(ids(grants({ unexpiredAt: at(101) }))).toEqual([]);
    });

    test('pendingAt has an undecided request up to the instant before it lapses', async () => {
      await makeRequests({ id: requestId(1), lapsesAt: at(100) }, { id: requestId(2), lapsesAt: at(101) });
      expect(ids(requests({ pendingAt: at(99) }))).toEqual([requestId(2), requestId(1)]);
      expect(ids(requests({ pendingAt: at(100) }))).toEqual([requestId(2)]);
      expect(ids(requests({ pendingAt: at(100), person: person('alice') }))).toEqual([requestId(2)]);
    });

    test('pendingAt of a person has all that wait, however many others have or were settled since', async () => {
      const lapsesAt = at(10_000);
      const of = (first: number, count: number, over: Partial<AccessRequest>) =>
        makeRequests(...Array.from({ length: count }, (_, n) => ({ id: requestId(first + n), lapsesAt, ...over })));
      await of(0, 3, { createdAt: at(1), person: person('mallory') });
      await of(100, 1_100, { createdAt: at(2), person: person('bob') });
      await of(2_000, 1_100, {
        createdAt: at(3),
        person: person('mallory'),
        settled: { state: 'withdrawn', at: at(3) },
      });
      expect(ids(requests({ limit: 20, pendingAt: at(4), person: person('mallory') }))).toEqual(
        [2, 1, 0].map(requestId),
      );
    });

    test('keep narrows further', async () => {
      await makeGrants(...[1, 2, 3, 4].map((n) => ({ id: grantId(n), createdAt: at(n) })));
      const keep = ({ id }: Grant) => id === grantId(1) || id === grantId(3);
      const pages = allPages((after) => store().read((s) => s.grants({ limit: 1, after, keep })));
      expect(pages.flat().map(({ id }) => id)).toEqual([3, 1].map(grantId));
    });

    test('show a thing once, as it is now, however often it has changed', async () => {
      await makeGrants({ expiresAt: at(100) }, { expiresAt: at(200) }, { expiresAt: at(300), revision: 3 });
      expect(grants().items).toEqual([grant({ expiresAt: at(300), revision: 3 })]);
      expect(grants({ unexpiredAt: at(50) }).items).toHaveLength(1);
    });

    test.each([0, -1, 501, 1.5, Number.NaN])('a limit of %f is refused', (limit) => {
      expect(() => grants({ limit })).toThrow('limit from 1 to 500');
      expect(() => store().decisions({ limit })).toThrow('limit from 1 to 500');
    });

    test.each(['', '5', 'x.gr_1', '1.gr_', `99999999999999999.${grantId(1)}`, `1.${grantId(1)} `])(
      'a cursor %j that no page has given is refused',
      (after) => {
        expect(() => grants({ after: after as Cursor })).toThrow('not the end of a page');
      },
    );
  });

  describe('entries()', () => {
    test('are numbered from 1 without gaps, in the order of the changes', async () => {
      await makeGrants({ id: grantId(1) }, { id: grantId(2) });
      await makeRequests({ id: requestId(1) });
      const entries = store().read((s) => s.entries(1, 10));
      expect(entries.map(({ sequence, transition }) => [sequence, transition.action])).toEqual([
        [1, 'grant.created'],
        [2, 'grant.created'],
        [3, 'request.created'],
      ]);
    });

    test('carry actor, time and the state that was reached', async () => {
      await recorded(store(), 7, { action: 'grant.created', grant: grant() });
      expect(store().read((s) => s.entries(1, 1))).toEqual([
        {
          v: 1,
          sequence: 1,
          at: at(7),
          actor: expect.objectContaining({ kind: 'person' }),
          transition: { action: 'grant.created', grant: grant() },
        },
      ]);
    });

    test.each([
      [1, 2, [1, 2]],
      [2, 10, [2, 3]],
      [3, 1, [3]],
      [4, 1, []],
      [0, 1, [1]],
      [1, 0, []],
    ])('from %i, at most %i', async (from, limit, expected) => {
      await makeGrants({ id: grantId(1) }, { id: grantId(2) }, { id: grantId(3) });
      expect(
        store()
          .read((s) => s.entries(from, limit))
          .map(({ sequence }) => sequence),
      ).toEqual(expected);
    });
  });
}
