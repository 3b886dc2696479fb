import type { PersonId, ResourceName } from '../../src/domain/names.js';
import type { Subject } from '../../src/domain/subject.js';

/** Resources of the scene; every subject is granted them one after the other. */
export const RESOURCES = 50;

/** The first so many subjects belong to people of the policy folder, the others to nobody. */
export const PEOPLE = 200;

/** Subject, resource and person of grant number n. */
export const subjectOf = (n: number) => `corp/${uriOf(Math.floor(n / RESOURCES))}` as Subject;
export const resourceOf = (n: number) => `resource-${n % RESOURCES}` as ResourceName;
export const personOf = (n: number): PersonId => {
  const user = Math.floor(n / RESOURCES);
  return (user < PEOPLE ? `user-${user}` : subjectOf(n)) as PersonId;
};

/** The name in the certificate of user number k. */
export const uriOf = (user: number) => `spiffe://corp/user-${user}`;

/** How many users have at least one of so many grants. */
export const usersOf = (grants: number) => Math.ceil(grants / RESOURCES);
