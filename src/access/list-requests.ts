import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { GrantId, RequestId } from '../domain/ids.js';
import { hits, isInForce, type Lock } from '../domain/lock.js';
import type { PersonId, PolicyName, ResourceName } from '../domain/names.js';
import { stillAdmits, type Policy, type PolicySet } from '../domain/policy.js';
import { grantIdOf, requestStateOf, type AccessRequest, type RequestState } from '../domain/request.js';
import { peopleItIsFor, type Review } from '../domain/review.js';
import type { Subject } from '../domain/subject.js';
import { after, type Instant } from '../domain/time.js';
import { personBehind, selectsPerson } from '../domain/who.js';
import type { Cursor, Page, Snapshot } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { PageWish } from './list-page.js';
import { visibleRequest } from './request.js';
import { reviewersNamedBy } from './reviewers.js';
import { couldReview, isOwn, maySeeRequest, ownPerson } from './rights.js';

/** An access request with what follows from the clock, the reviews and the policies in force. */
export interface RequestStanding {
  readonly request: AccessRequest;
  readonly state: RequestState;
  /** In the order in which they were given. */
  readonly reviews: readonly Review[];
  /** How many people must approve; null when the policy it names has another text, or no longer admits it. */
  readonly approvalsNeeded: number | null;
  /** Who can still review it; nobody once it is decided. A listing names the first few of them. */
  readonly reviewers: readonly PersonId[];
  /** How many can, named or not. */
  readonly reviewerCount: number;
  /** The grant it gave birth to. */
  readonly grantId: GrantId | null;
  /** Those in force that deny what it asks for, whatever its reviewers say; none once it can give nothing any more. */
  readonly locks: readonly Lock[];
}

/** What a listing is narrowed to; everything that is given must hold. */
export interface RequestFilter {
  readonly state?: RequestState | undefined;
  readonly mine?: boolean | undefined;
  /** Waits for a review that this very actor could give. */
  readonly reviewable?: boolean | undefined;
  readonly resource?: ResourceName | undefined;
  readonly policy?: PolicyName | undefined;
  readonly subject?: Subject | undefined;
  readonly person?: PersonId | undefined;
  /** Made at this instant or later. */
  readonly since?: Instant | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'>;

/** The requests that the actor may see, newest first. */
export function listRequests(
  { store, clock, policies }: Needed,
  actor: Actor,
  filter: RequestFilter,
  { limit, after }: PageWish,
): Page<RequestStanding> {
  const now = clock.read().wall;
  const set = policies.current;
  const own = ownPerson(actor, set);
  return store.read((snapshot) => {
    const { items, next } = snapshot.requests({
      limit,
      after: after as Cursor | undefined,
      // Narrows what is looked at; whether something is the actor's own is judged once more by `keep`.
      ...(filter.mine && own !== undefined && { person: own }),
      ...((filter.state === 'pending' || filter.reviewable) && { pendingAt: now }),
      keep: (request) =>
        maySeeRequest(actor, request, set) &&
        matches(request, filter, now) &&
        (!filter.mine || isOwn(actor, request, set)) &&
        (!filter.reviewable || waitsFor(actor, request, snapshot, set)),
    });
    return { items: items.map((request) => standingOf(request, snapshot, set, now, NAMED_IN_LISTS)), next };
  });
}

/**
 * One request.
 *
 * @throws {AccessError} `not_found`, also for what the actor may not see
 */
export function findRequest({ store, clock, policies }: Needed, actor: Actor, id: RequestId): RequestStanding {
  const now = clock.read().wall;
  return store.read((snapshot) => {
    const request = visibleRequest(snapshot.request(id), id, actor, policies.current);
    return standingOf(request, snapshot, policies.current, now);
  });
}

/** How a request stands now, for whoever has just changed it and so may see it. */
export function requestStanding({ store, clock, policies }: Needed, id: RequestId): RequestStanding {
  const now = clock.read().wall;
  return store.read((snapshot) => {
    const request = snapshot.request(id);
    if (!request) throw new AccessError('not_found', `no request ${JSON.stringify(id)}`);
    return standingOf(request, snapshot, policies.current, now);
  });
}

/** How a request stood at an instant, as far as its record tells; reviews and reviewers are those of now. */
export function requestStandingAt(
  { store, policies }: Omit<Needed, 'clock'>,
  request: AccessRequest,
  at: Instant,
): RequestStanding {
  return store.read((snapshot) => standingOf(request, snapshot, policies.current, at, NAMED_IN_LISTS));
}

/** Reviewers that each request of a listing names: 500 requests times everybody of a large group is megabytes. */
export const NAMED_IN_LISTS = 20;

function standingOf(
  request: AccessRequest,
  snapshot: Snapshot,
  set: PolicySet,
  now: Instant,
  named = Infinity,
): RequestStanding {
  const state = requestStateOf(request, now);
  const reviews = snapshot.reviewsOf(request.id);
  const policy = policyOf(request, set);
  const waits = policy !== undefined && state === 'pending';
  return {
    request,
    state,
    reviews,
    approvalsNeeded: policy?.approval.count ?? null,
    ...(waits ? reviewersLeft(request, reviews, policy, set, named) : { reviewers: [], reviewerCount: 0 }),
    grantId: state === 'approved' ? grantIdOf(request.digest) : null,
    locks: mayStillGive(request, state, now) ? locksOn(request, snapshot, set, now) : [],
  };
}

/** Whether it waits, or its grant would still be alive if nothing has ended that early. */
function mayStillGive({ settled, duration }: AccessRequest, state: RequestState, now: Instant): boolean {
  return state === 'pending' || (state === 'approved' && settled !== null && now < after(settled.at, duration));
}

/** As a check judges: by whom it is for, and by who is behind the subject now. */
function locksOn(request: AccessRequest, snapshot: Snapshot, { directory }: PolicySet, now: Instant): readonly Lock[] {
  const locks = snapshot.locks();
  if (locks.length === 0) return locks;
  const people = [request.person, personBehind(directory, request.subject)];
  return locks.filter((lock) => isInForce(lock, now) && people.some((person) => hits(lock, { ...request, person })));
}

/** Those whom the policy names, without those who have reviewed already or whom the access is for. */
function reviewersLeft(
  request: AccessRequest,
  reviews: readonly Review[],
  policy: Policy,
  set: PolicySet,
  named: number,
): Pick<RequestStanding, 'reviewers' | 'reviewerCount'> {
  const all = reviewersNamedBy(policy, set);
  const out = new Set([...reviews.map(({ person }) => person), ...peopleItIsFor(request, set)]);
  // Enough of them to find so many to name, even if all who are out come first.
  const reviewers = all.slice(0, named + out.size).filter((person) => !out.has(person));
  const missing = [...out].filter((person) => selectsPerson(policy.approval.from, set.directory, person)).length;
  return { reviewers: reviewers.slice(0, named), reviewerCount: all.length - missing };
}

/** The policy under which a review would be accepted: the very text that the request names, if it admits it still. */
function policyOf(request: AccessRequest, set: PolicySet): Policy | undefined {
  const policy = set.policies.get(request.policy);
  const same = policy?.digest === request.policyDigest;
  return same && stillAdmits(set, request.policy, request, request.duration) ? policy : undefined;
}

function matches(
  request: AccessRequest,
  { state, resource, policy, subject, person, since }: RequestFilter,
  now: Instant,
): boolean {
  return (
    (state === undefined || requestStateOf(request, now) === state) &&
    (resource === undefined || request.resource === resource) &&
    (policy === undefined || request.policy === policy) &&
    (subject === undefined || request.subject === subject) &&
    (person === undefined || request.person === person) &&
    (since === undefined || request.createdAt >= since)
  );
}

function waitsFor(actor: Actor, request: AccessRequest, snapshot: Snapshot, set: PolicySet): boolean {
  return (
    actor.kind === 'person' &&
    policyOf(request, set) !== undefined &&
    couldReview(actor, request, set) &&
    !snapshot.reviewsOf(request.id).some((review) => review.person === actor.person)
  );
}
