import type { Binding } from './binding.js';
import type { GrantId, RequestId } from './ids.js';
import type { ActionName, PersonId, PolicyName, ResourceName } from './names.js';
import { grantIdOf, type AccessRequest } from './request.js';
import type { Patterns } from './resource.js';
import type { Subject } from './subject.js';
import { after, type Instant } from './time.js';

/** Permission over the half-open interval [startsAt, expiresAt), born from exactly one approved request. */
export interface Grant {
  readonly id: GrantId;
  readonly requestId: RequestId;
  readonly policy: PolicyName;
  readonly subject: Subject;
  readonly person: PersonId;
  readonly resource: ResourceName;
  readonly actions: readonly ActionName[];
  /** What the actions mean; frozen with the request. */
  readonly patterns: Patterns;
  /** What else the connection must show; absent: nothing but the subject. */
  readonly binding?: Binding;
  readonly createdAt: Instant;
  readonly startsAt: Instant;
  readonly expiresAt: Instant;
  /** The people whose reviews made it. */
  readonly approvedBy: readonly PersonId[];
  /** What ended it before its time; null while nothing has. */
  readonly end: GrantEnd | null;
  /** Number of the change that wrote this state; its ETag. */
  readonly revision: number;
}

/** Why a grant can end; of an ended grant exactly one is true. */
export const END_REASONS = [
  'expired',
  'unused',
  'returned',
  'revoked',
  'exhausted',
  'policy_changed',
  'transferred',
] as const;
type EndReason = (typeof END_REASONS)[number];

/** An end that somebody or something made, before the natural one. */
export interface GrantEnd {
  readonly reason: Exclude<EndReason, 'expired'>;
  readonly at: Instant;
  /** Who ended it, as `printActor` writes it. */
  readonly by: string;
  /** Why, in that actor's words; may be empty. */
  readonly why: string;
}

/** In the order in which a grant goes through them. */
export const GRANT_STATES = ['scheduled', 'ready', 'active', 'ended'] as const;

/** `ready` is the state of a grant whose clock starts at first use. */
export type GrantState =
  | { readonly state: Exclude<(typeof GRANT_STATES)[number], 'ended'> }
  | { readonly state: 'ended'; readonly reason: EndReason };

/**
 * Derived, never stored: no job has to run for a grant to expire. Asked so that whatever is no proper interval (its end
 * before its start, a limit that is no number) is never active.
 */
export function grantStateOf(grant: Grant, now: Instant): GrantState {
  if (grant.end) return { state: 'ended', reason: grant.end.reason };
  if (!(now < grant.expiresAt)) return { state: 'ended', reason: 'expired' };
  return { state: now >= grant.startsAt ? 'active' : 'scheduled' };
}

/** The grant that an approved request gives, its clock starting at the approval. */
export function bornFrom(
  request: AccessRequest,
  approvedBy: readonly PersonId[],
  now: Instant,
  revision: number,
): Grant {
  const { subject, person, resource, actions, patterns, binding, policy } = request;
  return {
    id: grantIdOf(request.digest),
    requestId: request.id,
    policy,
    subject,
    person,
    resource,
    actions,
    patterns,
    ...(binding && { binding }),
    createdAt: now,
    startsAt: now,
    expiresAt: after(now, request.duration),
    approvedBy,
    end: null,
    revision,
  };
}

/** Tried first to last at a check. Ties are broken by id, so the order in which a store returns grants changes nothing. */
export function longestFirst(grants: readonly Grant[]): readonly Grant[] {
  return grants.length < 2 ? grants : grants.toSorted((a, b) => b.expiresAt - a.expiresAt || (a.id < b.id ? -1 : 1));
}
