import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { Grant } from '../domain/grant.js';
import type { PersonId } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import type { AccessRequest } from '../domain/request.js';
import { mayReview } from '../domain/review.js';
import { hasRole, type Role } from '../domain/roles.js';
import type { Subject } from '../domain/subject.js';
import { personBehind, selectsPerson } from '../domain/who.js';

/** Whether something that belongs to a subject and its person is the actor's own. */
export function isOwn(
  actor: Actor,
  of: { readonly subject: Subject; readonly person: PersonId },
  policies: PolicySet,
): boolean {
  switch (actor.kind) {
    case 'person':
      return of.person === actor.person || personBehind(policies.directory, of.subject) === actor.person;
    case 'subject':
    case 'service':
      return of.subject === actor.subject;
    case 'host':
    case 'system':
      return false;
  }
}

/** The person whose own things a listing shows; undefined for actors who have none. */
export function ownPerson(actor: Actor, policies: PolicySet): PersonId | undefined {
  if (actor.kind === 'person') return actor.person;
  if (actor.kind === 'host' || actor.kind === 'system' || actor.subject === null) return undefined;
  return personBehind(policies.directory, actor.subject);
}

/** The subjects that the actor may ask access for. */
export function ownSubjects(actor: Actor, { directory }: PolicySet): readonly Subject[] {
  switch (actor.kind) {
    case 'person':
      return directory.subjectsOf.get(actor.person) ?? [];
    case 'subject':
      return [actor.subject];
    case 'service':
      return actor.subject === null ? [] : [actor.subject];
    case 'host':
    case 'system':
      return [];
  }
}

/** Own; reviewers what they may review, also after it is decided; auditor, operator and host all. */
export function maySeeRequest(actor: Actor, request: AccessRequest, policies: PolicySet): boolean {
  if (isOwn(actor, request, policies) || readsEverything(actor, policies)) return true;
  const policy = policies.policies.get(request.policy);
  return (
    actor.kind === 'person' &&
    policy !== undefined &&
    selectsPerson(policy.approval.from, policies.directory, actor.person)
  );
}

/** Own; reviewers what they approved; auditor, operator and host all. */
export function maySeeGrant(actor: Actor, grant: Grant, policies: PolicySet): boolean {
  return isOwn(actor, grant, policies) || approved(actor, grant) || readsEverything(actor, policies);
}

/** Reviewers revoke what they approved, operators and the host everything. */
export function mayRevoke(actor: Actor, grant: Grant, policies: PolicySet): boolean {
  return approved(actor, grant) || is(actor, 'operator', policies);
}

/** Whether this actor could review the request now: for lists of what waits for somebody. */
export function couldReview(actor: Actor, request: AccessRequest, policies: PolicySet): boolean {
  const policy = policies.policies.get(request.policy);
  return actor.kind === 'person' && policy !== undefined && mayReview(request, actor.person, policy, policies);
}

export function is(actor: Actor, role: Role, policies: PolicySet): boolean {
  return hasRole(actor, role, policies.roles, policies.directory);
}

export function readsEverything(actor: Actor, policies: PolicySet): boolean {
  return is(actor, 'auditor', policies) || is(actor, 'operator', policies);
}

/** @throws {AccessError} `not_permitted` */
export function assertRole(actor: Actor, roles: readonly Role[], doing: string, policies: PolicySet): void {
  if (roles.some((role) => is(actor, role, policies))) return;
  throw new AccessError('not_permitted', `${doing} needs the role ${roles.join(' or ')}`);
}

function approved(actor: Actor, grant: Grant): boolean {
  return actor.kind === 'person' && grant.approvedBy.includes(actor.person);
}
