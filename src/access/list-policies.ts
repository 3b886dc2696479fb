import type { Actor } from '../domain/actor.js';
import { printActor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { ActionName, PersonId, ResourceName } from '../domain/names.js';
import { admittedActions, type Policy, type PolicySet } from '../domain/policy.js';
import type { Subject } from '../domain/subject.js';
import { peopleOf } from '../domain/who.js';
import type { Dependencies } from './dependencies.js';
import { pageOfList, type ListedPage, type PageWish } from './list-page.js';

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
  const all = [...set.policies.values()]
    .map((policy) => ({
      policy,
      admits: admits(set, policy),
      reviewers: peopleOf(policy.approval.from, set.directory),
    }))
    .filter((standing) => resource === undefined || standing.admits.some((one) => one.resource === resource));
  return pageOfList(all, page, ({ policy }) => policy.name, 'ascending');
}

function assertKnown(actor: Actor): void {
  if (actor.kind !== 'subject') return;
  throw new AccessError(
    'not_permitted',
    `no person claims ${printActor(actor)}, so it cannot read policies; what it may ask for is under resources`,
  );
}

/**
 * What the policy covers, whoever asks. Put to the one rule that decides it (`admittedActions`), with a subject that
 * exists nowhere else in the place of those whom the policy names.
 */
function admits(set: PolicySet, policy: Policy): PolicyStanding['admits'] {
  const anybody = { trust: 'any', pattern: { kind: 'dns', exact: 'anybody' } } as const;
  const open: Policy = { ...policy, who: { people: [], groups: [], subjects: [anybody] } };
  return [...set.resources.values()]
    .map((resource) => ({
      resource: resource.name,
      actions: admittedActions(set, open, 'any/dns:anybody' as Subject, resource),
    }))
    .filter(({ actions }) => actions.length > 0)
    .toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
}
