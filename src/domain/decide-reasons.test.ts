import { describe, expect, test } from 'vitest';
import {
  at,
  billingApi,
  grant,
  lock,
  lockId,
  reading,
  request,
  requestId,
  robot,
  subject,
  T0,
} from '../../test/builders.js';
import {
  admin,
  answerTo,
  askBilling,
  ended,
  facts,
  HOUR,
  nth,
  onAlice,
  onBilling,
  question,
  read,
  withActions,
  withoutAlice,
  word,
  type DecisionRow,
} from '../../test/decision-rows.js';
import { decide, type Facts } from './decide.js';
import { deny } from './decision.js';
import type { GrantId } from './ids.js';

const laptop = subject('alice-laptop');

// Which of the reasons is told. One grant to alice on orders-db over [0, 1 h), asked for half an hour in, unless a row
// says otherwise.
const ends: DecisionRow[] = (
  ['unused', 'returned', 'revoked', 'exhausted', 'policy_changed', 'transferred'] as const
).map((reason) => ({
  name: `a grant that ended early: ${reason}`,
  want: reason,
  given: { grants: [grant(ended(reason))] },
}));

const overlaps: DecisionRow[] = [
  {
    name: 'one of two overlapping grants is revoked (D13)',
    want: 'allow',
    given: { grants: [nth(1, ended('revoked')), nth(2)] },
  },
  {
    name: 'one of two overlapping grants is revoked, and the person locked (D13)',
    want: 'locked',
    given: { grants: [nth(1, ended('revoked')), nth(2)], locks: [onAlice] },
  },
  {
    name: 'an ended grant that would have lasted longest explains',
    now: 2 * HOUR,
    want: 'revoked',
    given: { grants: [nth(1), nth(2, { ...ended('revoked'), expiresAt: at(3 * HOUR) })] },
  },
  {
    name: 'a start to come explains before a revoke',
    want: 'not_started',
    given: { grants: [nth(1, { ...ended('revoked'), expiresAt: at(9 * HOUR) }), nth(2, { startsAt: at(HOUR - 1) })] },
  },
];

const waits: DecisionRow[] = [
  { name: 'a pending request', want: 'pending_approval', given: { grants: [], pending: [request()] } },
  {
    name: 'a pending request one ms before it lapses',
    now: HOUR - 1,
    want: 'pending_approval',
    given: { grants: [], pending: [request()] },
  },
  { name: 'a request that has lapsed', now: HOUR, want: 'no_grant', given: { grants: [], pending: [request()] } },
  {
    name: 'a request that is settled',
    want: 'no_grant',
    given: { grants: [], pending: [request({ settled: { state: 'approved', at: T0 } })] },
  },
  {
    name: 'a request of another subject',
    want: 'no_grant',
    given: { grants: [], pending: [request({ subject: laptop })] },
  },
  {
    name: 'a request for another resource',
    want: 'no_grant',
    given: { grants: [], pending: [request({ resource: billingApi })] },
  },
  {
    name: 'a request for another action',
    want: 'no_grant',
    given: { grants: [], pending: [request({ actions: [read] })] },
  },
  {
    name: 'a pending request explains before a grant that ended',
    want: 'pending_approval',
    given: { grants: [grant(ended('returned'))], pending: [request()] },
  },
  {
    name: 'a start to come explains before a pending request',
    now: -1,
    want: 'not_started',
    given: { pending: [request()] },
  },
  {
    name: 'a pending request explains before a scope that is too narrow',
    want: 'pending_approval',
    ask: { ...askBilling, actions: [admin] },
    given: {
      policies: withActions,
      grants: [grant(onBilling)],
      pending: [request({ resource: billingApi, actions: [admin] })],
    },
  },
  {
    name: 'a scope that is too narrow explains before a grant that ended',
    want: 'out_of_scope',
    ask: { ...askBilling, actions: [admin] },
    given: {
      policies: withActions,
      grants: [nth(1, { ...onBilling, ...ended('revoked'), expiresAt: at(9 * HOUR) }), nth(2, onBilling)],
    },
  },
  { name: 'a pending request takes nothing from a grant', want: 'allow', given: { pending: [request()] } },
];

describe.for([
  ['early ends', ends],
  ['overlapping grants', overlaps],
  ['pending requests', waits],
] as const)('%s', ([, rows]) => {
  test.for(rows)('$name: $want', (row) => {
    expect(answerTo(row)).toBe(row.want);
  });
});

describe('a deny', () => {
  test('names the grant that explains it', () => {
    const revoked = grant(ended('revoked'));
    expect(decide(question(), facts({ grants: [revoked] }), reading(0))).toEqual(
      deny('revoked', { grantId: revoked.id }),
    );
  });

  test('names, of several that ended for the same reason, the grant that lasted longest', () => {
    const [short, long] = [nth(1), nth(2, { expiresAt: at(2 * HOUR) })];
    for (const grants of [
      [short, long],
      [long, short],
    ]) {
      const decision = decide(question(), facts({ grants }), reading(3 * HOUR));
      expect(decision).toEqual(deny('expired', { grantId: long.id }));
    }
  });

  test('names the oldest request that waits', () => {
    const pending = [request({ id: requestId(2) }), request({ id: requestId(1) }), request({ id: requestId(3) })];
    expect(decide(question(), facts({ grants: [], pending }), reading(0))).toEqual(
      deny('pending_approval', { requestId: requestId(1) }),
    );
  });

  test('names the lock that lasts longest, of equal ones the oldest, and its message', () => {
    const told = (...given: Facts['locks']) => decide(question(), facts({ locks: given }), reading(0));
    const short = lock({ id: lockId(1), expiresAt: at(5), message: 'short' });
    const long = lock({ id: lockId(2), expiresAt: at(9), message: 'long' });
    const [open, younger] = [lock({ id: lockId(3), message: 'open' }), lock({ id: lockId(4) })] as const;
    expect(told(short, long)).toEqual(deny('locked', { lockId: long.id, message: 'long' }));
    expect(told(younger, long, open, short)).toEqual(deny('locked', { lockId: open.id, message: 'open' }));
  });

  test('by a lock on a person who left names lock and grant', () => {
    const decision = decide(question(), facts({ policies: withoutAlice, locks: [onAlice] }), reading(0));
    expect(decision).toEqual(deny('locked', { grantId: grant().id, lockId: onAlice.id, message: '' }));
  });

  test('of what could not be read is passed on whole', () => {
    const why = deny('malformed', { message: 'two certificates' });
    expect(decide(question({ subject: why }), facts(), reading(0))).toBe(why);
  });
});

test('an id that two grants share changes nothing: each is judged by itself', () => {
  const id = 'gr_0' as GrantId;
  const grants = [grant({ id, ...ended('revoked') }), grant({ id, subject: robot })];
  expect(word(decide(question(), facts({ grants }), reading(0)))).toBe('revoked');
});
