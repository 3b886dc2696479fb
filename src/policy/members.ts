import type { PersonId } from '../domain/names.js';
import type { Directory, PeopleSelector } from '../domain/who.js';

/**
 * Everybody a selector of the folder names, in no order: to count them for each of a thousand policies, sorting as for
 * display takes too long. That all names are known is checked on the way.
 */
export function membersOf({ people, groups }: PeopleSelector, directory: Directory): ReadonlySet<PersonId> {
  const members = new Set(people);
  for (const group of groups) for (const person of directory.groups.get(group) ?? []) members.add(person);
  return members;
}
