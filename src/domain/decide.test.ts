import { describe, expect, test } from 'vitest';
import {
  alice,
  at,
  billingApi,
  grant,
  group,
  lock,
  ordersDb,
  person,
  policy,
  policySet,
  prodData,
  reading,
  requestId,
  resource,
  robot,
  subject,
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
  type DecisionRow,
} from '../../test/decision-rows.js';
import { parseActionPattern } from './action-pattern.js';
import { decide, type Facts, type Question } from './decide.js';
import { deny, type DenyReason } from './decision.js';
import type { Grant } from './grant.js';
import type { PolicyName, ResourceName } from './names.js';
import type { PolicySet } from './policy.js';
import { parseSubject } from './subject.js';
import { days, type Instant } from './time.js';

const laptop = subject('alice-laptop');
const by = (is: Question['subject']): Partial<Question> => ({ subject: is });
const until = (ms: number) => by({ is: alice, validUntil: at(ms) });

// One grant to alice on orders-db over [0, 1 h), asked for half an hour in, unless a row says otherwise.
const interval: DecisionRow[] = [
  { name: 'one ms before the start', now: -1, want: 'not_started' },
  { name: 'at the start', now: 0, want: 'allow' },
  { name: 'one ms before the end', now: HOUR - 1, want: 'allow' },
  { name: 'at the end', now: HOUR, want: 'expired' },
  { name: 'long after the end', now: days(400), want: 'expired', ask: until(days(500)) },
  { name: 'no grant at all', want: 'no_grant', given: { grants: [] } },
  { name: 'an end before the start', now: 5, want: 'expired', given: { grants: [grant({ expiresAt: at(-1) })] } },
  { name: 'an interval of nothing', now: 0, want: 'expired', given: { grants: [grant({ expiresAt: at(0) })] } },
  {
    name: 'a start that is no number',
    want: 'policy_changed',
    given: { grants: [grant({ startsAt: Number.NaN as Instant })] },
  },
  {
    name: 'an end that is no number',
    want: 'expired',
    given: { grants: [grant({ expiresAt: Number.NaN as Instant })] },
  },
];

const clock: DecisionRow[] = [
  { name: 'a suspect clock', want: 'clock_suspect', trusted: false },
  { name: 'a suspect clock, and a lock', want: 'clock_suspect', trusted: false, given: { locks: [lock()] } },
  {
    name: 'a suspect clock, and no certificate',
    want: 'clock_suspect',
    trusted: false,
    ask: by(deny('no_certificate')),
  },
];

const certificate: DecisionRow[] = [
  { name: 'a certificate one ms before its end', now: 9, want: 'allow', ask: until(10) },
  { name: 'a certificate at its end', now: 10, want: 'certificate_not_valid_now', ask: until(10) },
  { name: 'a certificate without an end', want: 'certificate_not_valid_now', ask: until(Number.NaN) },
  { name: 'no certificate', want: 'no_certificate', ask: by(deny('no_certificate')) },
  {
    name: 'no certificate, for a resource nobody knows',
    want: 'no_certificate',
    ask: { subject: deny('no_certificate'), resource: { is: 'nothing' as ResourceName } },
  },
  { name: 'an ambiguous subject', want: 'ambiguous_subject', ask: by(deny('ambiguous_subject')) },
  {
    name: 'the same name under another trust entry',
    want: 'no_grant',
    ask: by({ is: parseSubject('partner/spiffe://corp/alice'), validUntil: at(HOUR) }),
  },
  {
    name: 'a name that begins like the one with the grant',
    want: 'no_grant',
    ask: by({ is: subject('alic'), validUntil: at(HOUR) }),
  },
  {
    name: 'another certificate of the same person',
    want: 'no_grant',
    ask: by({ is: laptop, validUntil: at(HOUR) }),
  },
];

const resources: DecisionRow[] = [
  { name: 'a resource that is unclear', want: 'ambiguous_resource', ask: { resource: deny('ambiguous_resource') } },
  {
    name: 'a resource that is unclear, asked for by a locked subject',
    want: 'ambiguous_resource',
    ask: { resource: deny('ambiguous_resource') },
    given: { locks: [lock()] },
  },
  {
    name: 'a resource that the policy folder does not know, although there is a grant on it',
    want: 'unknown_resource',
    given: { policies: policySet({ resources: [resource({ name: billingApi })] }) },
  },
  { name: 'another resource than that of the grant', want: 'no_grant', ask: { resource: { is: billingApi } } },
  {
    name: 'a path that no action reads',
    want: 'malformed',
    ask: { actions: deny('malformed') },
  },
  { name: 'a lock before a bad path', want: 'locked', ask: { actions: deny('malformed') }, given: { locks: [lock()] } },
];

const locked = (over: Parameters<typeof lock>[0]): Partial<Facts> => ({ locks: [lock(over)] });
const locks: DecisionRow[] = [
  { name: 'a lock on the subject', want: 'locked', given: locked({}) },
  {
    name: 'a lock on another subject of the person',
    want: 'allow',
    given: locked({ target: { kind: 'subject', subject: laptop } }),
  },
  {
    name: 'a lock on the person',
    want: 'locked',
    given: locked({ target: { kind: 'person', person: person('alice') } }),
  },
  {
    name: 'a lock on another person',
    want: 'allow',
    given: locked({ target: { kind: 'person', person: person('bob') } }),
  },
  {
    name: 'a lock on the resource',
    want: 'locked',
    given: locked({ target: { kind: 'resource', resource: ordersDb } }),
  },
  {
    name: 'a lock on another resource',
    want: 'allow',
    given: locked({ target: { kind: 'resource', resource: billingApi } }),
  },
  { name: 'a lock one ms before its end', now: 9, want: 'locked', given: locked({ expiresAt: at(10) }) },
  { name: 'a lock at its end', now: 10, want: 'allow', given: locked({ expiresAt: at(10) }) },
  { name: 'a lock without any grant', want: 'locked', given: { grants: [], locks: [lock()] } },
  {
    name: 'a lock on an unclaimed subject taken as a person',
    want: 'locked',
    ask: by({ is: robot, validUntil: at(HOUR) }),
    given: locked({ target: { kind: 'person', person: person(robot) } }),
  },
];

const leavers: DecisionRow[] = [
  { name: 'a grant to a person who left, admitted by name', want: 'allow', given: { policies: withoutAlice } },
  {
    name: 'a locked person who left: the lock still hits what was given to them',
    want: 'locked',
    given: { policies: withoutAlice, locks: [onAlice] },
  },
  {
    name: 'that lock at its end',
    now: 10,
    want: 'allow',
    given: { policies: withoutAlice, locks: [{ ...onAlice, expiresAt: at(10) }] },
  },
  {
    name: 'a grant of the subject’s present owner beside one of its locked former owner',
    want: 'allow',
    given: {
      policies: withoutAlice,
      locks: [onAlice],
      grants: [grant(), nth(2, { person: person('dave'), expiresAt: at(HOUR - 1) })],
    },
  },
  {
    name: 'a grant of the locked former owner that has ended anyway',
    want: 'expired',
    now: HOUR,
    given: { policies: withoutAlice, locks: [onAlice] },
  },
];

const scope: DecisionRow[] = [
  {
    name: 'the action of the grant',
    want: 'allow',
    ask: { ...askBilling, actions: [read] },
    given: { policies: withActions, grants: [grant(onBilling)] },
  },
  {
    name: 'one action of several that the request belongs to',
    want: 'allow',
    ask: { ...askBilling, actions: [admin, read] },
    given: { policies: withActions, grants: [grant(onBilling)] },
  },
  {
    name: 'another action',
    want: 'out_of_scope',
    ask: { ...askBilling, actions: [admin] },
    given: { policies: withActions, grants: [grant(onBilling)] },
  },
  {
    name: 'a request that belongs to no action',
    want: 'out_of_scope',
    ask: { ...askBilling, actions: [] },
    given: { policies: withActions, grants: [grant(onBilling)] },
  },
  {
    name: 'a grant of no action',
    want: 'policy_changed',
    ask: { ...askBilling, actions: [read] },
    given: { policies: withActions, grants: [grant({ ...onBilling, actions: [] })] },
  },
  {
    name: 'two grants that add up',
    want: 'allow',
    ask: { ...askBilling, actions: [admin] },
    given: { policies: withActions, grants: [nth(1, onBilling), nth(2, { ...onBilling, actions: [admin] })] },
  },
];

const changed = (over: Parameters<typeof policy>[0]): Partial<Facts> => ({
  policies: policySet({ policies: [policy(over)] }),
});
const policies: DecisionRow[] = [
  { name: 'a policy that is gone', want: 'policy_changed', given: { policies: policySet({ policies: [] }) } },
  { name: 'a policy under another name', want: 'policy_changed', given: changed({ name: 'other' as PolicyName }) },
  {
    name: 'a holder who left the group',
    want: 'policy_changed',
    given: { policies: policySet({ groups: { dev: ['dave'], sre: ['bob'] } }) },
  },
  {
    name: 'a resource that lost its label',
    want: 'policy_changed',
    given: { policies: policySet({ resources: [resource({ labels: { env: 'test' } })] }) },
  },
  {
    name: 'a maximum that is the very length of the grant',
    want: 'allow',
    given: changed({ duration: { default: HOUR, max: HOUR } }),
  },
  {
    name: 'a maximum one ms below the length of the grant',
    want: 'policy_changed',
    given: changed({ duration: { default: HOUR, max: (HOUR - 1) as typeof HOUR } }),
  },
  {
    name: 'a grant of seven days, where the policy has more',
    want: 'allow',
    given: {
      ...changed({ duration: { default: HOUR, max: days(30) } }),
      grants: [grant({ expiresAt: at(days(7)) })],
    },
  },
  {
    name: 'a grant of a ms more than seven days, whatever the policy says',
    want: 'policy_changed',
    given: {
      ...changed({ duration: { default: HOUR, max: days(30) } }),
      grants: [grant({ expiresAt: at(days(7) + 1) })],
    },
  },
  {
    name: 'a policy that asks for more reviewers than before (approval is frozen)',
    want: 'allow',
    given: changed({ digest: 'f'.repeat(64), approval: { count: 2, from: { people: [], groups: [group('sre')] } } }),
  },
  {
    name: 'a policy that no longer admits, before the grant starts',
    now: -1,
    want: 'policy_changed',
    given: { policies: policySet({ policies: [] }) },
  },
];

describe.for([
  ['the interval', interval],
  ['the clock', clock],
  ['the certificate', certificate],
  ['the resource', resources],
  ['locks', locks],
  ['people who left', leavers],
  ['scope', scope],
  ['policies in force', policies],
] as const)('%s', ([, rows]) => {
  test.for(rows)('$name: $want', (row) => {
    expect(answerTo(row)).toBe(row.want);
  });
});

describe('an allow', () => {
  test('names its grant, request and policy, and ends with the grant', () => {
    expect(decide(question(), facts(), reading(0))).toEqual({
      effect: 'allow',
      grantId: grant().id,
      requestId: requestId(),
      policy: prodData,
      endsAt: at(HOUR),
    });
  });

  test('ends with the certificate where that ends first', () => {
    expect(decide(question(until(HOUR - 1)), facts(), reading(0))).toMatchObject({ endsAt: at(HOUR - 1) });
    expect(decide(question(until(HOUR + 1)), facts(), reading(0))).toMatchObject({ endsAt: at(HOUR) });
  });

  test('is under the usable grant with the latest end, of equal ones that with the smallest id', () => {
    const [a, b, later] = [nth(1), nth(2), nth(3, { expiresAt: at(2 * HOUR) })] as const;
    const unusable = nth(4, { expiresAt: at(3 * HOUR), ...ended('revoked') });
    const under = (...grants: Grant[]) => decide(question(), facts({ grants }), reading(0));
    expect(under(a, unusable, later, b)).toMatchObject({ grantId: later.id });
    const first = a.id < b.id ? a.id : b.id;
    expect(under(a, b)).toMatchObject({ grantId: first });
    expect(under(b, a)).toMatchObject({ grantId: first });
  });
});

describe('what an action means is frozen in the grant', () => {
  const meaning = (...patterns: string[]) =>
    policySet({
      resources: [resource({ name: billingApi, actions: new Map([[read, patterns.map(parseActionPattern)]]) })],
    });
  const granted = grant({ ...onBilling, patterns: { [read]: ['GET /invoices', 'HEAD /invoices'] } });
  const rows: readonly (readonly [string, PolicySet, 'allow' | DenyReason])[] = [
    ['the same patterns', meaning('GET /invoices', 'HEAD /invoices'), 'allow'],
    ['the same patterns in another order', meaning('HEAD /invoices', 'GET /invoices'), 'allow'],
    ['a wider pattern', meaning('GET /**', 'HEAD /invoices'), 'policy_changed'],
    ['one pattern more', meaning('GET /invoices', 'HEAD /invoices', 'GET /customers'), 'policy_changed'],
    ['one pattern less', meaning('GET /invoices'), 'policy_changed'],
    ['no actions any more', policySet({ resources: [resource({ name: billingApi })] }), 'policy_changed'],
  ];
  test.for(rows)('with %s: %3$s', ([, policies, want]) => {
    expect(
      answerTo({ name: '', want, ask: { ...askBilling, actions: [read] }, given: { policies, grants: [granted] } }),
    ).toBe(want);
  });

  test('a grant of a resource without actions does not follow when it gets some', () => {
    const grants = [grant({ resource: billingApi })];
    const given = { policies: meaning('GET /**'), grants };
    expect(answerTo({ name: '', want: 'policy_changed', ask: { ...askBilling, actions: [read] }, given })).toBe(
      'policy_changed',
    );
  });
});
