import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  alice,
  bob,
  group,
  person,
  policy,
  policySet,
  request,
  requestId,
  review,
  reviewId,
  runs,
  subject,
} from '../../test/builders.js';
import { AccessError } from './errors.js';
import type { PersonId } from './names.js';
import type { PolicySet } from './policy.js';
import type { AccessRequest } from './request.js';
import { applyReview, type Outcome, type Review } from './review.js';
import { parseSubjectPattern } from './subject-pattern.js';
import type { Subject } from './subject.js';

// Three people, four subjects, and a directory that is another one at each review.
const NAMES = ['alice', 'bob', 'carol'] as const;
const SUBJECTS = [alice, subject('alice-laptop'), bob, subject('carol')];
const somePerson = fc.constantFrom(...NAMES, SUBJECTS[1]!).map(person);

interface Office {
  /** Who claims each of the subjects, in their order; null for nobody. */
  readonly owners: readonly (string | null)[];
  readonly sre: readonly string[];
}

const someOffice: fc.Arbitrary<Office> = fc.record({
  owners: fc.tuple(...SUBJECTS.map(() => fc.constantFrom(...NAMES, ...NAMES, null))),
  sre: fc.subarray([...NAMES, SUBJECTS[1]!], { minLength: 2 }),
});

/** Everybody in corp may ask, so that only rights to review are in play. */
function policiesOf({ owners, sre }: Office, count: number): PolicySet {
  const claims = (name: string) => SUBJECTS.filter((_, i) => owners[i] === name);
  const people = NAMES.map((name) => [name, claims(name)] as const).filter(([, subjects]) => subjects.length > 0);
  const anybody = {
    people: [],
    groups: [],
    subjects: [{ trust: 'corp', pattern: parseSubjectPattern('spiffe://**') }],
  };
  return policySet({
    policies: [policy({ who: anybody, approval: { count, from: { people: [], groups: [group('sre')] } } })],
    people: Object.fromEntries(people),
    groups: { sre },
  });
}

interface Step {
  readonly office: Office;
  readonly by: PersonId;
  readonly verdict: Review['verdict'];
  /** Whether the review names this request and its digest. */
  readonly meant: boolean;
}

const someSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    office: someOffice,
    by: somePerson,
    verdict: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'deny' as const),
    meant: fc.constantFrom(true, true, true, true, false),
  }),
  { minLength: 1, maxLength: 8 },
);

const someRequest: fc.Arbitrary<AccessRequest> = fc
  .record({ subject: fc.constantFrom(...SUBJECTS), person: somePerson })
  .map((over) => request(over));

interface Story {
  readonly outcome: Outcome;
  /** The reviews that were taken, the last one included. */
  readonly given: readonly Review[];
  /** The people as they were at each of those reviews. */
  readonly offices: readonly Office[];
}

/** Gives one review after another until the request is decided, as a store would: what is refused is not kept. */
function tell(on: AccessRequest, steps: readonly Step[], count: number): Story {
  const given: Review[] = [];
  const offices: Office[] = [];
  for (const [i, { office, by, verdict, meant }] of steps.entries()) {
    const one = review({
      id: reviewId(i),
      requestId: meant ? on.id : requestId(9),
      digest: on.digest,
      person: by,
      verdict,
    });
    try {
      const outcome = applyReview(on, given, one, policiesOf(office, count));
      given.push(one);
      offices.push(office);
      if (outcome.state !== 'pending') return { outcome, given, offices };
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
    }
  }
  return { outcome: { state: 'pending' }, given, offices };
}

const ownerOf = (office: Office, one: Subject) => office.owners[SUBJECTS.indexOf(one)] ?? one;

/** Known, in the group, and not whom the request is for: neither then nor now. */
const isEligible = (on: AccessRequest, name: PersonId, office: Office) =>
  office.owners.includes(name) &&
  office.sre.includes(name) &&
  name !== on.person &&
  name !== ownerOf(office, on.subject);

const someCount = fc.integer({ min: 1, max: 3 });

test('whoever approved a request are enough different people, eligible then and now, and never the requester (W-2)', () => {
  let approved = 0;
  fc.assert(
    fc.property(someRequest, someSteps, someCount, (on, steps, count) => {
      const { outcome, given, offices } = tell(on, steps, count);
      if (outcome.state !== 'approved') return;
      approved += 1;
      const { approvedBy } = outcome;
      expect(new Set(approvedBy).size).toBe(approvedBy.length);
      expect(approvedBy.length).toBeGreaterThanOrEqual(count);
      for (const name of approvedBy) {
        const i = given.findIndex((one) => one.person === name && one.verdict === 'approve');
        expect(isEligible(on, name, offices[i]!)).toBe(true);
        expect(isEligible(on, name, offices.at(-1)!)).toBe(true);
      }
    }),
    runs(1_500),
  );
  expect(approved).toBeGreaterThan(runs(50).numRuns);
});

test('a review is taken exactly from eligible people, once each, on this request, and before a deny', () => {
  fc.assert(
    fc.property(someRequest, someSteps, (on, steps) => {
      const { given } = tell(on, steps, 3);
      const expected: Review['person'][] = [];
      for (const { office, by, verdict, meant } of steps) {
        if (!meant || expected.includes(by) || !isEligible(on, by, office)) continue;
        expected.push(by);
        if (verdict === 'deny') break;
        if (expected.length === 3) break;
      }
      expect(given.map((one) => one.person)).toEqual(expected);
    }),
    runs(500),
  );
});

test('a request is approved as soon as enough of those who approved are still eligible, and not before', () => {
  fc.assert(
    fc.property(someRequest, someSteps, someCount, (on, steps, count) => {
      const { outcome, given, offices } = tell(on, steps, count);
      const approving = given.filter((one) => one.verdict === 'approve').map((one) => one.person);
      const eligible = approving.filter((name) => isEligible(on, name, offices.at(-1)!)).toSorted();
      const enough: Outcome =
        eligible.length >= count ? { state: 'approved', approvedBy: eligible } : { state: 'pending' };
      expect(outcome).toEqual(given.at(-1)?.verdict === 'deny' ? { state: 'denied' } : enough);
    }),
    runs(500),
  );
});
