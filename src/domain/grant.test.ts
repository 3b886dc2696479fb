import { describe, expect, test } from 'vitest';
import { action, alice, at, billingApi, grant, person, prodData, request, requestId, T0 } from '../../test/builders.js';
import { bornFrom, END_REASONS, grantStateOf, longestFirst, type Grant, type GrantState } from './grant.js';
import type { GrantId } from './ids.js';
import { grantIdOf } from './request.js';
import { minutes, type Instant } from './time.js';

const over = (from: number, to: number, more: Partial<Grant> = {}) =>
  grant({ startsAt: at(from), expiresAt: at(to), ...more });
const NAN = Number.NaN as Instant;

describe('grantStateOf()', () => {
  const rows: { name: string; of: Grant; now: number; want: GrantState['state'] | 'expired' }[] = [
    { name: 'one ms before the start', of: over(10, 20), now: 9, want: 'scheduled' },
    { name: 'at the start', of: over(10, 20), now: 10, want: 'active' },
    { name: 'one ms before the end', of: over(10, 20), now: 19, want: 'active' },
    { name: 'at the end', of: over(10, 20), now: 20, want: 'expired' },
    { name: 'an empty interval', of: over(10, 10), now: 10, want: 'expired' },
    { name: 'an interval turned round, before both', of: over(20, 10), now: 9, want: 'scheduled' },
    { name: 'an interval turned round, between', of: over(20, 10), now: 15, want: 'expired' },
    { name: 'an interval turned round, after both', of: over(20, 10), now: 25, want: 'expired' },
    { name: 'a start that is no number', of: { ...over(10, 20), startsAt: NAN }, now: 15, want: 'scheduled' },
    { name: 'an end that is no number', of: { ...over(10, 20), expiresAt: NAN }, now: 15, want: 'expired' },
    { name: 'a time that is no number', of: over(10, 20), now: Number.NaN, want: 'expired' },
  ];
  test.for(rows)('$name: $want', ({ of, now, want }) => {
    const state = grantStateOf(of, at(now));
    expect(state.state === 'ended' ? state.reason : state.state).toBe(want);
  });

  test.for(END_REASONS.filter((reason) => reason !== 'expired'))('ended early stays ended: %s', (reason) => {
    const ended = over(10, 20, { end: { reason, at: at(15), by: 'host', why: '' } });
    for (const now of [0, 12, 15, 20, 1_000]) {
      expect(grantStateOf(ended, at(now))).toEqual({ state: 'ended', reason });
    }
  });
});

test('a grant is what its request asked for, from now on, for as long as was asked', () => {
  const from = request({ resource: billingApi, actions: [action('read')], duration: minutes(5) });
  expect(bornFrom(from, [person('bob'), person('carol')], at(7), 12)).toEqual({
    id: grantIdOf(from.digest),
    requestId: requestId(),
    policy: prodData,
    subject: alice,
    person: 'alice',
    resource: billingApi,
    actions: ['read'],
    patterns: { read: [] },
    createdAt: at(7),
    startsAt: at(7),
    expiresAt: at(7 + 300_000),
    approvedBy: ['bob', 'carol'],
    end: null,
    revision: 12,
  });
});

test('a request gives birth to the same grant however often, and two requests to two', () => {
  const twice = [T0, at(99)].map((now) => bornFrom(request(), [], now, 1).id);
  expect(new Set(twice).size).toBe(1);
  expect(bornFrom(request({ id: requestId(2) }), [], T0, 1).id).not.toBe(twice[0]);
});

test('the grant with the latest end comes first, of equal ones the smallest id, in whatever order they come', () => {
  const [a, b, c] = [
    over(0, 5, { id: 'gr_2' as GrantId }),
    over(0, 9, { id: 'gr_3' as GrantId }),
    over(3, 5, { id: 'gr_1' as GrantId }),
  ];
  for (const given of [
    [a, b, c],
    [c, b, a],
    [b, a, c],
    [a, c, b],
  ]) {
    expect(longestFirst(given).map((one) => one.id)).toEqual(['gr_3', 'gr_1', 'gr_2']);
  }
  expect(longestFirst([])).toEqual([]);
  expect(longestFirst([a])).toEqual([a]);
});
