import type { PersonId } from '../domain/names.js';
import type { Policy, PolicySet } from '../domain/policy.js';
import { peopleOf } from '../domain/who.js';

const known = new WeakMap<PolicySet, Map<string, readonly PersonId[]>>();

/**
 * Everybody whom a policy names as reviewer, in a stable order. Worked out once for a policy set and a way of naming
 * people, which many policies share: a page of requests asks for it hundreds of times.
 */
export function reviewersNamedBy({ approval: { from } }: Policy, set: PolicySet): readonly PersonId[] {
  const ofSet = known.get(set) ?? new Map<string, readonly PersonId[]>();
  known.set(set, ofSet);
  const naming = JSON.stringify([from.people, from.groups]);
  const people = ofSet.get(naming) ?? peopleOf(from, set.directory);
  ofSet.set(naming, people);
  return people;
}
