import * as fc from 'fast-check';
import { decide, type Facts, type Question } from '../src/domain/decide.js';
import { deny } from '../src/domain/decision.js';
import { END_REASONS, type Grant, type GrantEnd } from '../src/domain/grant.js';
import type { GrantId } from '../src/domain/ids.js';
import type { Lock, LockTarget } from '../src/domain/lock.js';
import type { PolicyName, ResourceName } from '../src/domain/names.js';
import type { Policy, PolicySet } from '../src/domain/policy.js';
import type { AccessRequest } from '../src/domain/request.js';
import { parseSubjectPattern } from '../src/domain/subject-pattern.js';
import type { Duration, Reading } from '../src/domain/time.js';
import {
  action,
  alice,
  at,
  billingApi,
  bob,
  grant,
  group,
  lock,
  lockId,
  ordersDb,
  person,
  policy,
  policySet,
  prodData,
  request,
  requestId,
  resource,
  robot,
  subject,
} from './builders.js';

/** Everything that one decision depends on. */
export interface DecisionScene {
  readonly question: Question;
  readonly facts: Facts;
  readonly now: Reading;
}

export const decideScene = ({ question, facts, now }: DecisionScene) => decide(question, facts, now);

/** `usual` in all cases but one of `weight + 1`. */
const mostly = <A, B>(usual: fc.Arbitrary<A>, other: fc.Arbitrary<B>, weight = 9): fc.Arbitrary<A | B> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other });

// Few names and few instants, so that boundaries and collisions are the common case; and every single thing mostly in
// order, because an allow needs all of them.
const instant = fc.integer({ min: 0, max: 6 }).map(at);
const someSubject = fc.constantFrom(alice, alice, alice, subject('alice-laptop'), bob, robot);
const resources = [ordersDb, billingApi];
const someResource = fc.constantFrom(...resources);
const both = ['read', 'write'].map(action);
const someActions = mostly(fc.constant(both), fc.subarray(both));
const somePerson = fc.constantFrom('alice', 'bob', robot).map(person);
const digit = fc.integer({ min: 0, max: 9 });

const someEnd: fc.Arbitrary<GrantEnd> = fc.record({
  reason: fc.constantFrom(...END_REASONS.filter((reason) => reason !== 'expired')),
  at: instant,
  by: fc.constant('host'),
  why: fc.constant(''),
});

const someGrant: fc.Arbitrary<Grant> = fc
  .record({
    id: digit.map((n) => `gr_${n}` as GrantId),
    policy: fc.constantFrom(prodData, 'other' as PolicyName),
    subject: someSubject,
    person: somePerson,
    resource: someResource,
    actions: mostly(fc.subarray(both, { minLength: 1 }), fc.constant([])),
    start: fc.integer({ min: 0, max: 4 }),
    // A proper interval, empty, or turned round.
    length: mostly(fc.integer({ min: 2, max: 6 }), fc.integer({ min: -1, max: 1 })),
    end: mostly(fc.constant(null), someEnd),
    // Of before or after somebody edited what the action means.
    meant: mostly(fc.constant({}), fc.constantFrom({ patterns: { [both[0]!]: ['GET /old'] } }, { patterns: {} })),
  })
  .map(({ start, length, meant, ...over }) =>
    grant({ ...over, ...meant, startsAt: at(start), expiresAt: at(start + length) }),
  );

const someTarget: fc.Arbitrary<LockTarget> = fc.oneof(
  fc.record({ kind: fc.constant('subject' as const), subject: someSubject }),
  fc.record({ kind: fc.constant('person' as const), person: somePerson }),
  fc.record({ kind: fc.constant('resource' as const), resource: someResource }),
);

export const someLock: fc.Arbitrary<Lock> = fc
  .record({ id: digit.map(lockId), target: someTarget, expiresAt: mostly(instant, fc.constant(null)) })
  .map((over) => lock(over));

const someRequest: fc.Arbitrary<AccessRequest> = fc
  .record({
    id: digit.map(requestId),
    subject: someSubject,
    resource: someResource,
    actions: someActions,
    lapsesAt: instant,
    settled: mostly(fc.constant(null), fc.constant({ state: 'denied' as const, at: at(0) })),
  })
  .map((over) => request(over));

const someWho: fc.Arbitrary<Policy['who']> = fc.record({
  people: fc.subarray([person('alice')]),
  groups: mostly(fc.constant([group('nobody'), group('dev')]), fc.constant([])),
  subjects: fc.subarray([
    { trust: 'corp', pattern: parseSubjectPattern('spiffe://corp/robot') },
    { trust: 'partner', pattern: parseSubjectPattern('spiffe://corp/**') },
  ]),
});

const someWhat: fc.Arbitrary<Policy['what']> = fc.record({
  resources: fc.subarray([ordersDb]),
  labels: mostly(fc.constant({ env: 'prod' }), fc.constantFrom({ env: 'prod', kind: 'http' }, {}, null)),
  actions: mostly(fc.constant(null), fc.subarray(both)),
});

const policyNamed = (name: PolicyName): fc.Arbitrary<Policy> =>
  fc
    .record({ who: someWho, what: someWhat, max: fc.constantFrom(6, 6, 6, 3) })
    .map(({ max, ...over }) => policy({ name, ...over, duration: { default: 1 as Duration, max: max as Duration } }));

const somePolicies: fc.Arbitrary<PolicySet> = fc
  .record({
    policies: fc.tuple(policyNamed(prodData), policyNamed('other' as PolicyName)),
    kept: mostly(fc.constant(2), fc.constantFrom(0, 1)),
    labels: mostly(fc.constantFrom({ env: 'prod', kind: 'http' }, { env: 'prod' }), fc.constant({ env: 'test' })),
    known: mostly(fc.constant(resources), fc.subarray(resources)),
    dev: mostly(fc.constant(['alice', 'bob']), fc.subarray(['alice', 'bob'])),
    aliceHas: mostly(fc.constant([alice, subject('alice-laptop')]), fc.subarray([alice])),
  })
  .map(({ policies, kept, labels, known, dev, aliceHas }) =>
    policySet({
      policies: policies.slice(0, kept),
      resources: known.map((name) => resource({ name, labels, actions: new Map(both.map((one) => [one, []])) })),
      groups: { dev },
      people: aliceHas.length > 0 ? { alice: aliceHas, bob: [bob] } : { bob: [bob] },
    }),
  );

const someQuestion: fc.Arbitrary<Question> = fc.record({
  subject: mostly(
    fc.record({ is: someSubject, validUntil: mostly(fc.constant(at(9)), instant) }),
    fc.constant(deny('no_certificate')),
    29,
  ),
  resource: mostly(
    fc.record({ is: mostly(someResource, fc.constant('nothing' as ResourceName), 29) }),
    fc.constant(deny('ambiguous_resource')),
    29,
  ),
  actions: mostly(fc.subarray(both, { minLength: 1 }), fc.constantFrom<Question['actions']>([], deny('malformed')), 29),
});

/** Half of the grants are for the very thing that is asked, so that a good part of the scenes ends in an allow. */
function toThePoint(question: Question, facts: Facts): Facts {
  const aimed = facts.grants.map((one, i) =>
    i % 2 === 0 && 'is' in question.subject && 'is' in question.resource
      ? { ...one, subject: question.subject.is, resource: question.resource.is }
      : one,
  );
  return { ...facts, grants: aimed };
}

export const someScene: fc.Arbitrary<DecisionScene> = fc
  .record({
    question: someQuestion,
    facts: fc.record({
      policies: somePolicies,
      locks: mostly(fc.constant([]), fc.uniqueArray(someLock, { selector: (one) => one.id, maxLength: 3 }), 2),
      grants: fc.uniqueArray(someGrant, { selector: (one) => one.id, maxLength: 5 }),
      pending: fc.uniqueArray(someRequest, { selector: (one) => one.id, maxLength: 2 }),
    }),
    now: fc
      .record({
        wall: fc.integer({ min: -1, max: 7 }).map(at),
        trusted: mostly(fc.constant(true), fc.constant(false), 19),
      })
      .map((over): Reading => ({ mono: 0, ...over })),
  })
  .map(({ question, facts, now }) => ({ question, facts: toThePoint(question, facts), now }));
