import { whyUnbound, type Bearer } from './binding.js';
import { deny, type Allow, type Decision, type Deny, type DenyReason } from './decision.js';
import { grantStateOf, longestFirst, type Grant } from './grant.js';
import { hits, isInForce, type Hit, type Lock } from './lock.js';
import type { ActionName, ResourceName } from './names.js';
import { stillAdmits, type PolicySet } from './policy.js';
import { requestStateOf, type AccessRequest } from './request.js';
import type { Subject } from './subject.js';
import { earliest, type Duration, type Instant, type Reading } from './time.js';
import { personBehind } from './who.js';

/** One question of Envoy's: may this certificate do this, now. What could not be read is a `Deny` in its place. */
export interface Question {
  readonly subject:
    | {
        readonly is: Subject;
        readonly validUntil: Instant;
        /** Digest of the certificate's public key; absent where only the subject is known. */
        readonly key?: string;
      }
    | Deny;
  readonly resource: { readonly is: ResourceName } | Deny;
  /** The actions of the resource that the request belongs to; none when no pattern matches. */
  readonly actions: readonly ActionName[] | Deny;
  /** Where the client connects from; absent where nobody knows. */
  readonly source?: string | null;
}

/** What is known at one moment, all from one snapshot. */
export interface Facts {
  readonly policies: PolicySet;
  readonly locks: readonly Lock[];
  /** Those of the question's subject on its resource: all unexpired ones, and of the others at least the latest. */
  readonly grants: readonly Grant[];
  /** Those of the question's subject on its resource that nobody has decided. */
  readonly pending: readonly AccessRequest[];
}

/**
 * Decides one check. Pure: the same question, facts and time give the same answer, in whatever order the facts come.
 *
 * The default is deny. A lock beats every grant; a grant counts only between its start and its end, for its own
 * actions, and while the policy it was made under still admits it.
 */
export function decide(question: Question, facts: Facts, now: Reading): Decision {
  if (!now.trusted) return deny('clock_suspect');
  const { subject, resource, actions } = question;
  if ('effect' in subject) return subject;
  if (!(now.wall < subject.validUntil)) return deny('certificate_not_valid_now');
  if ('effect' in resource) return resource;
  if (!facts.policies.resources.has(resource.is)) return deny('unknown_resource');

  const person = personBehind(facts.policies.directory, subject.is);
  const lock = lockOn({ subject: subject.is, person, resource: resource.is }, facts.locks, now.wall);
  if (lock) return deny('locked', { lockId: lock.id, message: lock.message });
  if ('effect' in actions) return actions;

  const grants = longestFirst(
    facts.grants.filter((grant) => grant.subject === subject.is && grant.resource === resource.is),
  );
  const bearer = bearerOf(question);
  const failures = new Map<DenyReason, Deny>();
  for (const grant of grants) {
    const failure = whyNot(grant, { actions, bearer }, facts, now.wall);
    if (failure === null) return allow(grant, earliest(grant.expiresAt, subject.validUntil));
    if (!failures.has(failure.reason)) failures.set(failure.reason, failure);
  }
  return mostUseful(failures, waitingFor(facts.pending, question, now.wall));
}

/** Why this grant does not carry the request; null if it does. */
function whyNot(
  grant: Grant,
  { actions, bearer }: { readonly actions: readonly ActionName[]; readonly bearer: Bearer },
  { policies, locks }: Pick<Facts, 'policies' | 'locks'>,
  now: Instant,
): Deny | null {
  const why = { grantId: grant.id };
  const state = grantStateOf(grant, now);
  if (state.state === 'ended') return deny(state.reason, why);
  // The person it was given to, who may since have left the policy folder: that must not lift a lock.
  const lock = lockOn(grant, locks, now);
  if (lock) return deny('locked', { ...why, lockId: lock.id, message: lock.message });
  if (!stillAdmits(policies, grant.policy, grant, (grant.expiresAt - grant.startsAt) as Duration))
    return deny('policy_changed', why);
  if (state.state === 'scheduled') return deny('not_started', why);
  if (!actions.some((action) => grant.actions.includes(action))) return deny('out_of_scope', why);
  const unbound = whyUnbound(grant.binding, bearer);
  return unbound && deny(unbound, why);
}

/** What the connection shows that a grant may be bound to. */
export function bearerOf({ subject, source = null }: Pick<Question, 'subject' | 'source'>): Bearer {
  return { key: 'is' in subject ? (subject.key ?? null) : null, source };
}

function waitingFor(pending: readonly AccessRequest[], question: Question, now: Instant): AccessRequest | undefined {
  const { subject, resource, actions } = question;
  return pending
    .filter(
      (request) =>
        'is' in subject &&
        request.subject === subject.is &&
        'is' in resource &&
        request.resource === resource.is &&
        requestStateOf(request, now) === 'pending' &&
        !('effect' in actions) &&
        actions.some((action) => request.actions.includes(action)) &&
        whyUnbound(request.binding, bearerOf(question)) === null,
    )
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
}

/**
 * Of all reasons the one that tells most about what to do next: speak to an operator, wait for a start or an approval,
 * come as whoever the grant is bound to, ask for more, ask anew. Of several grants that ended, the one that would have lasted longest explains (the first in
 * `failures`).
 */
function mostUseful(failures: ReadonlyMap<DenyReason, Deny>, waiting: AccessRequest | undefined): Deny {
  const soon = failures.get('locked') ?? failures.get('not_started');
  if (soon) return soon;
  if (waiting) return deny('pending_approval', { requestId: waiting.id });
  const [longest] = failures.values();
  const bound = failures.get('bound_to_other_key') ?? failures.get('bound_to_other_source');
  return bound ?? failures.get('out_of_scope') ?? longest ?? deny('no_grant');
}

/** Of several locks the one that lasts longest is told; ties go to the older. */
function lockOn(hit: Hit, locks: readonly Lock[], now: Instant): Lock | undefined {
  if (locks.length === 0) return undefined;
  return locks
    .filter((lock) => isInForce(lock, now) && hits(lock, hit))
    .toSorted((a, b) => (b.expiresAt ?? Infinity) - (a.expiresAt ?? Infinity) || (a.id < b.id ? -1 : 1))[0];
}

function allow(grant: Grant, endsAt: Instant): Allow {
  return { effect: 'allow', grantId: grant.id, requestId: grant.requestId, policy: grant.policy, endsAt } as Allow;
}
