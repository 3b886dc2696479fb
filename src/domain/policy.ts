import { HARD_CEILING } from './durations.js';
import type { ActionName, PolicyName, ResourceName } from './names.js';
import { actionsOf, hasAction, meanTheSame, type Patterns, type Resource } from './resource.js';
import type { Role, RoleSelector } from './roles.js';
import type { Subject } from './subject.js';
import type { Duration } from './time.js';
import { selectsSubject, type Directory, type PeopleSelector, type WhoSelector } from './who.js';

/** Who may ask for what, for how long, and who must approve. */
export interface Policy {
  readonly name: PolicyName;
  /** SHA-256 of the policy's canonical content: a request names the very text it was made under. */
  readonly digest: string;
  readonly who: WhoSelector;
  readonly what: WhatSelector;
  readonly duration: { readonly default: Duration; readonly max: Duration };
  readonly justification: 'required' | 'optional';
  /** A request that nobody answers for this long lapses. */
  readonly pending: Duration;
  readonly approval: ApprovalStage;
  /** Decides between several policies that admit the same request; unique where given. */
  readonly priority: number | null;
  /** Of the sessions under one grant: how many at a time, and how long one may be without traffic; null: no limit. */
  readonly sessions: { readonly max: number | null; readonly idle: Duration | null };
  /** What a check leaves behind that was refused what this policy would admit a request for; null: nothing. */
  readonly onDeny: 'draft' | null;
  /** How long a connection that lacks nothing but an approval may wait for it; null: it is refused at once. */
  readonly hold: Duration | null;
}

/** Resources by name, by all of their labels, or both; nothing named is nothing. */
export interface WhatSelector {
  readonly resources: readonly ResourceName[];
  readonly labels: Readonly<Record<string, string>> | null;
  /** Null: all actions of the resource. */
  readonly actions: readonly ActionName[] | null;
}

/** `count` different people out of `from`. */
export interface ApprovalStage {
  readonly count: number;
  readonly from: PeopleSelector;
}

/** Everything the policy folder says, as it was at one reading of it. */
export interface PolicySet {
  /** SHA-256 over the canonical content of the whole folder. */
  readonly digest: string;
  readonly directory: Directory;
  readonly resources: ReadonlyMap<ResourceName, Resource>;
  readonly policies: ReadonlyMap<PolicyName, Policy>;
  readonly roles: ReadonlyMap<Role, RoleSelector>;
}

/** What a request asks for, and what a grant gives. */
export interface Scope {
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly actions: readonly ActionName[];
  /** What the actions meant when they were asked for. */
  readonly patterns: Patterns;
}

/** The one with the highest priority; null where several have it, and for none at all. */
export function preferredOf<P extends Policy>(policies: readonly P[]): P | null {
  const rank = ({ priority }: Policy) => priority ?? -Infinity;
  const [first, second] = policies.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
  if (first === undefined) return null;
  return second === undefined || rank(first) > rank(second) ? first : null;
}

/** The actions of a resource that a policy covers for a subject; empty when it does not admit the subject at all. */
export function admittedActions(
  set: PolicySet,
  policy: Policy,
  subject: Subject,
  resource: Resource,
): readonly ActionName[] {
  if (!covers(policy.what, resource) || !selectsSubject(policy.who, set.directory, subject)) return [];
  return coveredActions(policy, resource);
}

/** Of these actions of a resource, those that some policy lets a subject ask for. */
export function askableActions(
  set: PolicySet,
  { subject, resource: name, actions }: Pick<Scope, 'subject' | 'resource' | 'actions'>,
): readonly ActionName[] {
  const resource = set.resources.get(name);
  if (resource === undefined) return [];
  const admitted = [...set.policies.values()].map((policy) => admittedActions(set, policy, subject, resource));
  return actions.filter((action) => admitted.some((list) => list.includes(action)));
}

/** The actions of a resource that a policy is about, whoever asks; empty when it is not about the resource. */
export function coveredActions({ what }: Policy, resource: Resource): readonly ActionName[] {
  if (!covers(what, resource)) return [];
  return actionsOf(resource).filter((action) => isCovered(action, { what }, resource));
}

/** Whether a policy that is about a resource is about this action of it, too. */
function isCovered(action: ActionName, { what }: Pick<Policy, 'what'>, resource: Resource): boolean {
  return hasAction(resource, action) && (what.actions?.includes(action) ?? true);
}

/**
 * Whether the policies in force still admit a grant that was made under `policyName`. Judged at every check, so a
 * tightened policy works from the moment it is loaded, whether or not anything has swept over the grants yet.
 */
export function stillAdmits(set: PolicySet, policyName: PolicyName, scope: Scope, length: Duration): boolean {
  const policy = set.policies.get(policyName);
  const resource = set.resources.get(scope.resource);
  return (
    policy !== undefined &&
    resource !== undefined &&
    isWithin(length, policy.duration.max) &&
    admits(set, policy, scope, resource)
  );
}

/**
 * Whether a policy admits all of a scope, as it was meant. An action whose patterns have changed is another action: to
 * let the grant follow would widen it without anybody's approval.
 */
function admits(set: PolicySet, policy: Policy, { subject, actions, patterns }: Scope, resource: Resource): boolean {
  return (
    actions.length > 0 &&
    covers(policy.what, resource) &&
    selectsSubject(policy.who, set.directory, subject) &&
    actions.every((action) => isCovered(action, policy, resource)) &&
    meanTheSame(resource, actions, patterns)
  );
}

/** Asked so that a length which is no number is not within anything. */
function isWithin(length: Duration, max: Duration): boolean {
  return length > 0 && length <= max && length <= HARD_CEILING;
}

/**
 * Whether a resource is one of those selected: named, or with all of the labels. No labels at all select nothing: a
 * selector that lost its last label must not become one for everything.
 */
export function covers(what: WhatSelector, resource: Resource): boolean {
  if (what.resources.includes(resource.name)) return true;
  const labels = what.labels ?? {};
  const keys = Object.keys(labels);
  return (
    keys.length > 0 && keys.every((key) => Object.hasOwn(resource.labels, key) && resource.labels[key] === labels[key])
  );
}
