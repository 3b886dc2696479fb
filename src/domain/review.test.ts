import { describe, expect, test } from 'vitest';
import {
  action,
  alice,
  at,
  bob,
  codeOf,
  group,
  person,
  policy,
  policySet,
  prodData,
  request,
  requestId,
  resource,
  review,
  reviewId,
  robot,
  sha256,
  subject,
  T0,
} from '../../test/builders.js';
import { parseSubjectPattern } from './subject-pattern.js';
import type { ErrorCode } from './errors.js';
import type { PolicyName } from './names.js';
import type { PolicySet } from './policy.js';
import { requestDigest, type AccessRequest } from './request.js';
import { applyReview, mayReview, type Review } from './review.js';
import { hours, seconds, type Duration } from './time.js';

// alice asks for orders-db; bob and carol may review.
const from = (name: string, over: Partial<Review> = {}) => review({ person: person(name), ...over });
const twoReviewers = policySet({
  policies: [policy({ approval: { count: 2, from: { people: [], groups: [group('sre')] } } })],
});

describe('one approval is asked for', () => {
  test('an approval of a reviewer approves, and names who approved', () => {
    expect(applyReview(request(), [], from('bob'), policySet())).toEqual({ state: 'approved', approvedBy: ['bob'] });
  });

  test('a deny of a reviewer denies', () => {
    expect(applyReview(request(), [], from('bob', { verdict: 'deny' }), policySet())).toEqual({ state: 'denied' });
  });

  test('one ms before it lapses a request can still be approved, when it lapses no more', () => {
    const last = request({ lapsesAt: at(10) });
    const given = (ms: number) => from('bob', { digest: last.digest, at: at(ms) });
    expect(applyReview(last, [], given(9), policySet()).state).toBe('approved');
    expect(codeOf(() => applyReview(last, [], given(10), policySet()))).toBe('already_decided');
  });
});

describe('two approvals are asked for', () => {
  const first = from('bob');
  const second = from('carol', { id: reviewId(2) });

  test('the first leaves the request pending, the second approves it', () => {
    expect(applyReview(request(), [], first, twoReviewers)).toEqual({ state: 'pending' });
    expect(applyReview(request(), [first], second, twoReviewers)).toEqual({
      state: 'approved',
      approvedBy: ['bob', 'carol'],
    });
  });

  test('who approved is named in the same order, whoever came first', () => {
    expect(applyReview(request(), [second], first, twoReviewers)).toEqual({
      state: 'approved',
      approvedBy: ['bob', 'carol'],
    });
  });

  test('the same person twice is refused, with either verdict', () => {
    const again = from('bob', { id: reviewId(2) });
    expect(codeOf(() => applyReview(request(), [first], again, twoReviewers))).toBe('already_decided');
    const against = { ...again, verdict: 'deny' as const };
    expect(codeOf(() => applyReview(request(), [first], against, twoReviewers))).toBe('already_decided');
  });

  test('a reviewer who lost the group between the two approvals does not count (W9)', () => {
    const bobLeft = {
      ...twoReviewers,
      directory: policySet({ groups: { dev: ['alice'], sre: ['carol', 'dave'] } }).directory,
    };
    expect(applyReview(request(), [first], second, bobLeft)).toEqual({ state: 'pending' });
    expect(applyReview(request(), [first, second], from('dave'), bobLeft)).toEqual({
      state: 'approved',
      approvedBy: ['carol', 'dave'],
    });
  });

  test('a reviewer whom nobody knows any more does not count', () => {
    const people = { alice: [alice], carol: [subject('carol')] };
    const bobGone = policySet({ policies: [...twoReviewers.policies.values()], people });
    expect(applyReview(request(), [first], second, bobGone)).toEqual({ state: 'pending' });
  });

  test('a reviewer who has become the holder of the subject does not count (W3)', () => {
    const people = { bob: [bob, alice], carol: [subject('carol')] };
    const bobHasIt = policySet({
      policies: [...twoReviewers.policies.values()],
      people,
      groups: { dev: ['bob'], sre: ['bob', 'carol'] },
    });
    expect(applyReview(request(), [first], second, bobHasIt)).toEqual({ state: 'pending' });
  });

  test('approvals of another content or another request do not count (W4, W6)', () => {
    const ofOtherContent = from('bob', { digest: request({ justification: 'other' }).digest });
    const ofOtherRequest = from('bob', { requestId: requestId(2) });
    for (const stray of [ofOtherContent, ofOtherRequest]) {
      expect(applyReview(request(), [stray], second, twoReviewers)).toEqual({ state: 'pending' });
    }
  });

  test('a person whose approval is there twice counts once (W8)', () => {
    const three = policySet({
      policies: [policy({ approval: { count: 3, from: { people: [], groups: [group('sre')] } } })],
    });
    expect(applyReview(request(), [first, { ...first, id: reviewId(3) }], second, three)).toEqual({ state: 'pending' });
  });

  test('one deny denies, whatever was approved before', () => {
    expect(applyReview(request(), [first], { ...second, verdict: 'deny' }, twoReviewers)).toEqual({ state: 'denied' });
  });

  test('after a deny no approval counts, even where the request still looks pending', () => {
    const denied = from('bob', { verdict: 'deny' });
    expect(codeOf(() => applyReview(request(), [denied], second, policySet()))).toBe('already_decided');
  });
});

const forLaptop = request({ subject: subject('alice-laptop') });
const forRobot = request({ subject: robot, person: person(robot) });
const byName = policy({
  who: { people: [], groups: [], subjects: [{ trust: 'corp', pattern: parseSubjectPattern('spiffe://corp/**') }] },
});
const everybodyReviews = (over: Partial<Parameters<typeof policySet>[0]> = {}) =>
  policySet({
    policies: [{ ...byName, approval: { count: 1, from: { people: [], groups: [group('sre')] } } }],
    groups: { dev: [], sre: ['alice', 'bob', 'carol', robot] },
    ...over,
  });

const refusals: {
  name: string;
  code: ErrorCode;
  on?: AccessRequest;
  by?: string;
  given?: Partial<Review>;
  policies?: PolicySet;
}[] = [
  { name: 'the requester', by: 'alice', code: 'self_review', policies: everybodyReviews() },
  { name: 'the requester, denying', by: 'alice', given: { verdict: 'deny' }, code: 'self_review' },
  {
    name: 'the requester, asked for under a second certificate (W2)',
    on: forLaptop,
    by: 'alice',
    code: 'self_review',
    policies: everybodyReviews(),
  },
  {
    name: 'who was the requester when the request was made',
    by: 'alice',
    code: 'self_review',
    policies: everybodyReviews({ people: { alice: [], dave: [alice] } }),
  },
  {
    name: 'who has claimed the subject since (W3)',
    on: forRobot,
    by: 'bob',
    code: 'self_review',
    policies: everybodyReviews({ people: { bob: [bob, robot] } }),
  },
  {
    name: 'a subject that nobody claims, even where a group names it',
    by: robot,
    code: 'not_permitted',
    policies: everybodyReviews(),
  },
  {
    name: 'a subject that nobody claims, for itself',
    on: forRobot,
    by: robot,
    code: 'self_review',
    policies: everybodyReviews(),
  },
  { name: 'somebody who is no reviewer', by: 'dave', code: 'not_permitted' },
  { name: 'somebody who is no reviewer, denying', by: 'dave', given: { verdict: 'deny' }, code: 'not_permitted' },
  { name: 'somebody whom nobody knows', by: 'mallory', code: 'not_permitted' },
  {
    name: 'a reviewer who left the group before',
    code: 'not_permitted',
    policies: policySet({ groups: { dev: ['alice'], sre: ['carol'] } }),
  },
  { name: 'an auditor, who is no reviewer', by: 'erin', code: 'not_permitted' },
  { name: 'who saw another content', given: { digest: 'a'.repeat(64) }, code: 'digest_mismatch' },
  { name: 'who saw nothing', given: { digest: '' }, code: 'digest_mismatch' },
  { name: 'who reviewed another request', given: { requestId: requestId(2) }, code: 'digest_mismatch' },
  { name: 'an approved request', on: settled('approved'), code: 'already_decided' },
  { name: 'a denied request', on: settled('denied'), code: 'already_decided' },
  { name: 'a withdrawn request (W18)', on: settled('withdrawn'), code: 'already_decided' },
  { name: 'a lapsed request (W18)', given: { at: at(hours(1)) }, code: 'already_decided' },
  { name: 'a policy that is gone', code: 'policy_changed', policies: policySet({ policies: [] }) },
  {
    name: 'a policy under another name',
    code: 'policy_changed',
    policies: policySet({ policies: [policy({ name: 'other' as PolicyName })] }),
  },
  {
    name: 'a policy of another text (W17)',
    code: 'policy_changed',
    policies: policySet({ policies: [policy({ digest: 'f'.repeat(64) })] }),
  },
  {
    name: 'a requester who may not have it any more',
    code: 'policy_changed',
    policies: policySet({ groups: { dev: ['dave'], sre: ['bob'] } }),
  },
  { name: 'a resource that is gone', code: 'policy_changed', policies: policySet({ resources: [] }) },
  {
    name: 'a resource that lost the label',
    code: 'policy_changed',
    policies: policySet({ resources: [resource({ labels: {} })] }),
  },
  { name: 'an action that is gone', on: request({ actions: [action('read')] }), code: 'policy_changed' },
  { name: 'no action', on: request({ actions: [] }), code: 'policy_changed' },
  {
    name: 'a duration above the maximum of the policy (W11)',
    on: request({ duration: (hours(4) + 1) as Duration }),
    code: 'policy_changed',
  },
];

test.for(refusals)('refused: $name: $code', ({ on = request(), by = 'bob', given, policies = policySet(), code }) => {
  const one = from(by, { requestId: on.id, digest: on.digest, ...given });
  expect(codeOf(() => applyReview(on, [], one, policies))).toBe(code);
});

test('the duration that the policy has at most can be approved', () => {
  const longest = request({ duration: hours(4) });
  expect(applyReview(longest, [], from('bob', { digest: longest.digest }), policySet()).state).toBe('approved');
});

test('a review that gives no digest of the request it names never counts, however the request was changed', () => {
  const edited = { ...request(), duration: seconds(1) };
  const digest = requestDigest(edited, sha256);
  expect(codeOf(() => applyReview(request(), [], from('bob', { digest }), policySet()))).toBe('digest_mismatch');
});

test('who may review is told without a review: reviewers, never whom it is for', () => {
  const policies = everybodyReviews();
  const rule = policies.policies.get(prodData)!;
  const may = ['alice', 'bob', 'carol', 'dave', robot, 'mallory'].filter((name) =>
    mayReview(request(), person(name), rule, policies),
  );
  expect(may).toEqual(['bob', 'carol']);
});

function settled(state: 'approved' | 'denied' | 'withdrawn'): AccessRequest {
  return request({ settled: { state, at: T0 } });
}
