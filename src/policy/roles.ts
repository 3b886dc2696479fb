import { ROLES, type Role, type RoleSelector } from '../domain/roles.js';
import { readPeople } from './directory.js';
import type { Sections } from './merge.js';
import type { Findings } from './problem.js';

/** Who has which role. A role that names nobody is as good as absent. */
export function readRoles(sections: Sections, findings: Findings): ReadonlyMap<Role, RoleSelector> {
  const roles = new Map<Role, RoleSelector>();
  for (const role of ROLES) {
    const entry = sections.roles.get(role);
    if (!entry) continue;
    const { value, at } = entry;
    const selector = { ...readPeople(value, sections, at, findings), services: value.services.toSorted() };
    if (Object.values(selector).some((names) => names.length > 0)) roles.set(role, selector);
  }
  return roles;
}
