import { AccessError } from './errors.js';
import type { RequestId, ReviewId } from './ids.js';
import type { PersonId } from './names.js';
import { stillAdmits, type Policy, type PolicySet } from './policy.js';
import { requestStateOf, type AccessRequest } from './request.js';
import type { Instant } from './time.js';
import { personBehind, selectsPerson } from './who.js';

/** One person's word on one request, given on the digest that this person was shown. */
export interface Review {
  readonly id: ReviewId;
  readonly requestId: RequestId;
  readonly digest: string;
  readonly person: PersonId;
  readonly verdict: 'approve' | 'deny';
  readonly reason: string;
  readonly at: Instant;
}

/** Where a review leaves its request. */
export type Outcome =
  | { readonly state: 'pending' }
  | { readonly state: 'denied' }
  | { readonly state: 'approved'; /** Whose approvals count. */ readonly approvedBy: readonly PersonId[] };

/**
 * What a request comes to with one more review. Rights are those of this moment: the new reviewer's, those of everybody
 * whose earlier approval is counted, and the requester's to have the access at all.
 *
 * @throws {AccessError} `already_decided`, `digest_mismatch`, `self_review`, `not_permitted`, `policy_changed`
 */
export function applyReview(
  request: AccessRequest,
  earlier: readonly Review[],
  review: Review,
  policies: PolicySet,
): Outcome {
  const state = requestStateOf(request, review.at);
  if (state !== 'pending') throw new AccessError('already_decided', `request ${request.id} is already ${state}`);
  if (!isGivenOn(request, review)) {
    throw new AccessError(
      'digest_mismatch',
      `the review is for another content than that of ${request.id}; look at the request again`,
    );
  }
  const policy = policyInForce(request, policies);
  assertMayReview(request, review.person, policy, policies);
  assertFirst(request, earlier, review);
  if (review.verdict === 'deny') return { state: 'denied' };
  const people = new Set([...earlier, review].filter((one) => isGivenOn(request, one)).map((one) => one.person));
  const approvedBy = [...people].filter((person) => mayReview(request, person, policy, policies)).sort();
  return approvedBy.length >= policy.approval.count ? { state: 'approved', approvedBy } : { state: 'pending' };
}

/** Whether this person could review the request now. Also who is told about it, and to whom it is shown. */
export function mayReview(request: AccessRequest, person: PersonId, policy: Policy, policies: PolicySet): boolean {
  return !isFor(request, person, policies) && selectsPerson(policy.approval.from, policies.directory, person);
}

/** Whether the review was given on this very request, in the content it has. */
function isGivenOn(request: AccessRequest, review: Review): boolean {
  return review.requestId === request.id && review.digest === request.digest;
}

/** A person counts once; and after a deny, which settles a request in the same change, there is nothing to add. */
function assertFirst(request: AccessRequest, earlier: readonly Review[], review: Review): void {
  if (earlier.some((other) => other.verdict === 'deny')) {
    throw new AccessError('already_decided', `request ${request.id} is already denied`);
  }
  if (earlier.some((other) => other.person === review.person)) {
    throw new AccessError('already_decided', `${review.person} has already reviewed ${request.id}`);
  }
}

/**
 * The people whom the access is for: whoever was behind the subject when it was asked for, and whoever is now. People are
 * compared, never names: a second certificate of the requester is the requester.
 */
export function peopleItIsFor(request: AccessRequest, policies: PolicySet): readonly PersonId[] {
  return [request.person, personBehind(policies.directory, request.subject)];
}

function isFor(request: AccessRequest, person: PersonId, policies: PolicySet): boolean {
  return peopleItIsFor(request, policies).includes(person);
}

function assertMayReview(request: AccessRequest, person: PersonId, policy: Policy, policies: PolicySet): void {
  if (isFor(request, person, policies)) {
    throw new AccessError('self_review', `${person} cannot review ${request.id}: the access is for ${person}`);
  }
  if (!mayReview(request, person, policy, policies)) {
    throw new AccessError('not_permitted', `${person} is not a reviewer of policy ${policy.name}`);
  }
}

/** A request is decided under the very policy text that it names, and only while that text is in force. */
function policyInForce(request: AccessRequest, policies: PolicySet): Policy {
  const policy = policies.policies.get(request.policy);
  if (policy?.digest !== request.policyDigest) {
    throw new AccessError(
      'policy_changed',
      `policy ${request.policy} has changed since ${request.id} was made; ask for access again`,
    );
  }
  if (!stillAdmits(policies, request.policy, request, request.duration)) {
    throw new AccessError(
      'policy_changed',
      `policy ${request.policy} no longer admits what ${request.subject} asked for; ask for access again`,
    );
  }
  return policy;
}
