import type { Actor } from '../domain/actor.js';
import type { ActionName } from '../domain/names.js';
import { admittedActions, type Policy, type PolicySet } from '../domain/policy.js';
import type { Resource } from '../domain/resource.js';
import type { Subject } from '../domain/subject.js';
import type { Dependencies } from './dependencies.js';
import { pageOfList, type ListedPage, type PageWish } from './list-page.js';
import { readsEverything } from './rights.js';

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
  const all = [...set.resources.values()]
    .map((resource) => ({ resource, options: optionsFor(actor, resource, set) }))
    .filter(({ options }) => options.length > 0 || readsEverything(actor, set));
  return pageOfList(all, page, ({ resource }) => resource.name, 'ascending');
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

function optionsFor(actor: Actor, resource: Resource, set: PolicySet): readonly Option[] {
  return ownSubjects(actor, set)
    .flatMap((subject) =>
      [...set.policies.values()].map((policy) => ({
        subject,
        policy,
        actions: admittedActions(set, policy, subject, resource),
      })),
    )
    .filter(({ actions }) => actions.length > 0);
}
