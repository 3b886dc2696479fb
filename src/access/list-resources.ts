import type { Actor } from '../domain/actor.js';
import type { ActionName } from '../domain/names.js';
import { coveredActions, type Policy, type PolicySet } from '../domain/policy.js';
import type { Resource } from '../domain/resource.js';
import type { Subject } from '../domain/subject.js';
import { selectsSubject } from '../domain/who.js';
import type { Dependencies } from './dependencies.js';
import { pageOfNamed, type ListedPage, type PageWish } from './list-page.js';
import { ownSubjects, readsEverything } from './rights.js';

/** A resource with what the actor may ask for on it. */
export interface ResourceStanding {
  readonly resource: Resource;
  readonly options: readonly Option[];
}

/** One way to ask: for this subject, under this policy, at most these actions. */
export interface Option {
  readonly subject: Subject;
  readonly policy: Policy;
  readonly actions: readonly ActionName[];
}

/** The resources that the actor may ask for, by name; for auditors, operators and the host all there are. */
export function listResources(
  { policies: { current: set } }: Pick<Dependencies, 'policies'>,
  actor: Actor,
  page: PageWish,
): ListedPage<ResourceStanding> {
  const ways = waysToAsk(actor, set);
  const all = readsEverything(actor, set);
  if (ways.length === 0 && !all) return { items: [], next: null };
  return pageOfNamed(set.resources, page, (resource) => {
    const options = optionsFor(resource, ways);
    return {
      item: options.length > 0 || all ? { resource, options } : null,
      looks: ways.length,
      shown: options.length,
    };
  });
}

type Way = Omit<Option, 'actions'>;

/** Which policies select the actor depends on no resource, so it is found out once for all of them. */
function waysToAsk(actor: Actor, set: PolicySet): readonly Way[] {
  return ownSubjects(actor, set).flatMap((subject) =>
    [...set.policies.values()]
      .filter((policy) => selectsSubject(policy.who, set.directory, subject))
      .map((policy) => ({ subject, policy })),
  );
}

function optionsFor(resource: Resource, ways: readonly Way[]): readonly Option[] {
  return ways
    .map(({ subject, policy }) => ({ subject, policy, actions: coveredActions(policy, resource) }))
    .filter(({ actions }) => actions.length > 0);
}
