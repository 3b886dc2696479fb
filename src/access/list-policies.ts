import type { Actor } from '../domain/actor.js';
import { printActor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { ActionName, PersonId, ResourceName } from '../domain/names.js';
import { coveredActions, type Policy, type PolicySet } from '../domain/policy.js';
import type { Dependencies } from './dependencies.js';
import { pageOfNamed, type ListedPage, type PageWish } from './list-page.js';
import { reviewersNamedBy } from './reviewers.js';

/** A policy with what it comes to for the resources and the people there are. */
export interface PolicyStanding {
  readonly policy: Policy;
  readonly admits: readonly { readonly resource: ResourceName; readonly actions: readonly ActionName[] }[];
  /** Everybody whose approval counts, unless the access is for themselves. */
  readonly reviewers: readonly PersonId[];
}

/** What a listing is narrowed to. */
export interface PolicyFilter {
  /** Policies that admit somebody to this resource. */
  readonly resource?: ResourceName | undefined;
}

/**
 * The policies in force, by name. For everybody the policy folder or an admin knows by name: they say who is in which
 * group, which is no business of a certificate that nobody claims.
 *
 * @throws {AccessError} `not_permitted`
 */
export function listPolicies(
  { policies: { current: set } }: Pick<Dependencies, 'policies'>,
  actor: Actor,
  { resource }: PolicyFilter,
  page: PageWish,
): ListedPage<PolicyStanding> {
  assertKnown(actor);
  return pageOfNamed(set.policies, page, (policy) => {
    if (resource !== undefined && !isAbout(policy, resource, set)) return { item: null, looks: 1, shown: 0 };
    const admits = admittedBy(policy, set);
    const reviewers = reviewersNamedBy(policy, set);
    return {
      item: { policy, admits, reviewers },
      looks: set.resources.size,
      shown: admits.length + reviewers.length,
    };
  });
}

function assertKnown(actor: Actor): void {
  if (actor.kind !== 'subject') return;
  throw new AccessError(
    'not_permitted',
    `no person claims ${printActor(actor)}, so it cannot read policies; what it may ask for is under resources`,
  );
}

function isAbout(policy: Policy, name: ResourceName, set: PolicySet): boolean {
  const resource = set.resources.get(name);
  return resource !== undefined && coveredActions(policy, resource).length > 0;
}

function admittedBy(policy: Policy, { resources }: PolicySet): PolicyStanding['admits'] {
  return [...resources.values()]
    .map((resource) => ({ resource: resource.name, actions: coveredActions(policy, resource) }))
    .filter(({ actions }) => actions.length > 0)
    .toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
}
