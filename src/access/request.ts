import { canonicalJson, type Canonical } from '../domain/canonical.js';
import { printActor, type Actor } from '../domain/actor.js';
import { printDuration, HARD_CEILING } from '../domain/durations.js';
import { AccessError } from '../domain/errors.js';
import type { ActionName, PolicyName, ResourceName } from '../domain/names.js';
import { admittedActions, preferredOf, type Policy, type PolicySet } from '../domain/policy.js';
import { requestDigest, requestStateOf, type AccessRequest, type RequestContent } from '../domain/request.js';
import { actionsOf, patternsOf, type Resource } from '../domain/resource.js';
import type { Subject } from '../domain/subject.js';
import { plainText } from '../domain/text.js';
import { after, type Duration, type Instant } from '../domain/time.js';
import { personBehind } from '../domain/who.js';
import type { Change } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { removeCoveredDrafts } from './keep-drafts.js';
import { once, type Idempotency } from './once.js';
import { assertWithin, REQUEST_QUOTA } from './quota.js';
import { isOwn, maySeeRequest, ownSubjects } from './rights.js';
import { trustedNow } from './trusted-now.js';

/** What somebody asks for. Who asks is never part of it: that is the actor. */
export interface Wish {
  readonly resource: ResourceName;
  /** Default: all that the policy admits. */
  readonly actions?: readonly ActionName[] | undefined;
  /** Default: the policy's. */
  readonly duration?: Duration | undefined;
  readonly justification?: string | undefined;
  /** Which policy to ask under, where several admit it. */
  readonly policy?: PolicyName | undefined;
  /** Which of the actor's own subjects it is for. */
  readonly subject?: Subject | undefined;
}

/** Bounds how many requests of one person wait at a time. */
const MAX_PENDING = 20;

/**
 * Makes an access request under exactly one policy. An identical request that still waits is returned instead.
 *
 * @throws {AccessError} `not_permitted`, `not_found`, `no_policy`, `choose_policy`, `choose_subject`, `justification_required`,
 * `invalid_duration`, `invalid_request`, `too_many_pending`, `quota_used_up`, `storage_full`, `clock_suspect`
 */
export async function submitRequest(
  needed: Dependencies,
  actor: Actor,
  wish: Wish,
  idempotency: Idempotency | null,
): Promise<AccessRequest> {
  const now = timeForRequests(needed);
  return needed.store.change(now, (change) =>
    once(change, actor, forSubject(idempotency, actor, wish), now, () => ask(change, needed, { actor, wish, now })),
  );
}

/**
 * The time of a new request.
 *
 * @throws {AccessError} `clock_suspect`, `storage_full`
 */
export function timeForRequests({ clock, room }: Pick<Dependencies, 'clock' | 'room'>): Instant {
  const now = trustedNow(clock);
  if (room.level() === 'all') return now;
  throw new AccessError('storage_full', 'no new requests: the disk of the service is nearly full');
}

/** Asks within a change; throws as `submitRequest`. */
export function ask(
  change: Change,
  { policies, newId, sha256 }: Pick<Dependencies, 'policies' | 'newId' | 'sha256'>,
  { actor, wish, now }: { readonly actor: Actor; readonly wish: Wish; readonly now: Instant },
): AccessRequest {
  const content = contentOf(wish, actor, policies.current, { id: newId('req', now), now });
  const same = change.pendingFor(content.subject, content.resource, now).find((other) => isSame(other, content));
  return same ?? recordRequest(change, actor, content, { sha256, now });
}

/**
 * Writes a new request within the limits of its person; the one place that does.
 *
 * @throws {AccessError} `too_many_pending`, `quota_used_up`
 */
export function recordRequest(
  change: Change,
  actor: Actor,
  content: RequestContent,
  { sha256, now }: Pick<Dependencies, 'sha256'> & { readonly now: Instant },
): AccessRequest {
  assertFewPending(change, content, now);
  assertWithin(REQUEST_QUOTA, content.person, change.requestTimes(content.person, REQUEST_QUOTA.perDay), now);
  const digest = requestDigest(content, sha256);
  const request: AccessRequest = { ...content, digest, settled: null, revision: change.nextSequence };
  change.record(actor, { action: 'request.created', request });
  removeCoveredDrafts(change, request);
  return request;
}

/**
 * Takes a request back. Only its own person may.
 *
 * @throws {AccessError} `not_found`, `not_permitted`, `already_decided`, `precondition_failed`
 */
export async function withdrawRequest(
  { store, clock, policies }: Pick<Dependencies, 'store' | 'clock' | 'policies'>,
  actor: Actor,
  { id, ifRevision }: { readonly id: AccessRequest['id']; readonly ifRevision?: number | undefined },
  idempotency: Idempotency | null,
): Promise<AccessRequest> {
  const now = clock.read().wall;
  return store.change(now, (change) =>
    once(change, actor, idempotency, now, () => {
      const request = visibleRequest(change.request(id), id, actor, policies.current);
      if (!isOwn(actor, request, policies.current)) {
        throw new AccessError('not_permitted', `only ${request.person} can withdraw ${id}`);
      }
      assertRevision(request, ifRevision);
      const state = requestStateOf(request, now);
      if (state !== 'pending') throw new AccessError('already_decided', `request ${id} is already ${state}`);
      const withdrawn: AccessRequest = {
        ...request,
        settled: { state: 'withdrawn', at: now },
        revision: change.nextSequence,
      };
      change.record(actor, { action: 'request.withdrawn', request: withdrawn });
      return withdrawn;
    }),
  );
}

/**
 * Who has several certificates asks for the subject of the one that is used, unless another is named: the same words with
 * another certificate are another call.
 */
function forSubject(idempotency: Idempotency | null, actor: Actor, wish: Wish): Idempotency | null {
  const subject = wish.subject ?? usedSubject(actor) ?? '';
  return idempotency && { ...idempotency, bodyDigest: `${idempotency.bodyDigest} ${subject}` };
}

/** The subject of the certificate that the actor has shown. */
function usedSubject(actor: Actor): Subject | null {
  return actor.kind === 'person' || actor.kind === 'subject' ? actor.subject : null;
}

/** What the actor may not see does not exist for it. */
export function visibleRequest(
  request: AccessRequest | undefined,
  id: string,
  actor: Actor,
  policies: PolicySet,
): AccessRequest {
  if (request && maySeeRequest(actor, request, policies)) return request;
  throw new AccessError('not_found', `no request ${JSON.stringify(id)}`);
}

/** @throws {AccessError} `precondition_failed` */
export function assertRevision(
  of: { readonly id: string; readonly revision: number },
  wanted: number | undefined,
): void {
  if (wanted === undefined || of.revision === wanted) return;
  throw new AccessError('precondition_failed', `${of.id} has changed since you read it; read it again`);
}

/**
 * What a wish comes to, as a request.
 *
 * @throws {AccessError} as `submitRequest`
 */
export function contentOf(
  wish: Wish,
  actor: Actor,
  policies: PolicySet,
  { id, now }: Pick<RequestContent, 'id'> & { now: Instant },
): RequestContent {
  const subject = subjectFor(actor, wish.subject, policies);
  const resource = policies.resources.get(wish.resource);
  if (!resource) throw new AccessError('not_found', `no resource named ${JSON.stringify(wish.resource)}`);
  assertActionsExist(resource, wish.actions);
  const policy = choosePolicy(wish, subject, resource, policies);
  const justification = plainText('justification', wish.justification ?? '');
  if (justification === '' && policy.justification === 'required') {
    throw new AccessError(
      'justification_required',
      `policy ${policy.name} requires a justification; say what you need the access for`,
    );
  }
  const actions = [...new Set(wish.actions ?? admittedActions(policies, policy, subject, resource))].sort();
  return {
    id,
    subject,
    person: personBehind(policies.directory, subject),
    askedBy: printActor(actor),
    resource: resource.name,
    actions,
    patterns: patternsOf(resource, actions),
    duration: wish.duration ?? policy.duration.default,
    justification,
    policy: policy.name,
    policyDigest: policy.digest,
    createdAt: now,
    lapsesAt: after(now, policy.pending),
  };
}

/** A subject of the actor's own person: the certificate used, or the one named. */
function subjectFor(actor: Actor, named: Subject | undefined, policies: PolicySet): Subject {
  const own = ownSubjects(actor, policies);
  if (named !== undefined) {
    if (own.includes(named)) return named;
    throw new AccessError(
      'not_permitted',
      `${printActor(actor)} can ask only for subjects of its own, not for ${named}`,
    );
  }
  const used = usedSubject(actor);
  if (used) return used;
  if (own.length === 1) return own[0]!;
  if (own.length > 1)
    throw new AccessError('choose_subject', `name the subject that the access is for: ${own.join(' or ')}`);
  throw new AccessError('not_permitted', `${printActor(actor)} has no subject that access could be for`);
}

function assertActionsExist(resource: Resource, wanted: readonly ActionName[] | undefined): void {
  if (wanted?.length === 0)
    throw new AccessError('invalid_request', 'name at least one action, or none at all for all that the policy admits');
  const known = actionsOf(resource);
  const unknown = wanted?.find((action) => !known.includes(action));
  if (unknown !== undefined) {
    throw new AccessError(
      'invalid_request',
      `${resource.name} has no action ${JSON.stringify(unknown)}; it has ${known.join(', ')}`,
    );
  }
}

/** Exactly one policy carries a request; policies are options and are never merged. */
function choosePolicy(wish: Wish, subject: Subject, resource: Resource, policies: PolicySet): Policy {
  const named = [...policies.policies.values()].filter(
    (policy) => wish.policy === undefined || policy.name === wish.policy,
  );
  const admitting = named.filter((policy) => {
    const admitted = admittedActions(policies, policy, subject, resource);
    return admitted.length > 0 && (wish.actions ?? []).every((action) => admitted.includes(action));
  });
  if (admitting.length === 0) {
    const under = wish.policy === undefined ? 'no policy admits' : `policy ${wish.policy} does not admit`;
    const what = wish.actions ? `${wish.actions.join(', ')} on ${resource.name}` : resource.name;
    throw new AccessError('no_policy', `${under} ${subject} to ${what}`);
  }
  const longEnough = admitting.filter((policy) => (wish.duration ?? 0) <= Math.min(policy.duration.max, HARD_CEILING));
  if (longEnough.length === 0) {
    const max = Math.max(...admitting.map((policy) => policy.duration.max)) as Duration;
    throw new AccessError(
      'invalid_duration',
      `the longest access to ${resource.name} is ${printDuration(max)}, you asked for ${printDuration(wish.duration!)}`,
    );
  }
  return preferred(longEnough);
}

function preferred(policies: readonly Policy[]): Policy {
  const one = preferredOf(policies);
  if (one) return one;
  const names = policies.map((policy) => policy.name).sort();
  throw new AccessError(
    'choose_policy',
    `several policies admit this; name the one you ask under: ${names.join(', ')}`,
  );
}

function isSame(a: AccessRequest, b: RequestContent): boolean {
  return (
    a.subject === b.subject &&
    a.resource === b.resource &&
    a.actions.join() === b.actions.join() &&
    a.duration === b.duration &&
    a.justification === b.justification &&
    a.policyDigest === b.policyDigest &&
    canonicalJson(a.patterns) === canonicalJson(b.patterns) &&
    // A bound one would let in less than was asked for now.
    canonicalJson(boundTo(a)) === canonicalJson(boundTo(b))
  );
}

function boundTo({ binding }: RequestContent): Canonical {
  return binding ? { ...binding } : null;
}

function assertFewPending(change: Change, { person }: RequestContent, now: Instant): void {
  const waiting = change.requests({ person, pendingAt: now, limit: MAX_PENDING }).items.length;
  if (waiting >= MAX_PENDING) {
    throw new AccessError(
      'too_many_pending',
      `${person} already has ${waiting} requests waiting; withdraw some or wait for a review`,
    );
  }
}
