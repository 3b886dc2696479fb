import type { Actor } from './actor.js';
import { selectsPerson, type Directory, type PeopleSelector } from './who.js';

/**
 * Rights beyond one's own requests and grants. Reviewing is none of them: a policy's approval stage names its
 * reviewers, and operating gives no right to review.
 */
export const ROLES = ['operator', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface RoleSelector extends PeopleSelector {
  /** Names of service tokens that carry the role. */
  readonly services: readonly string[];
}

/** Judged by the policy set in force at each call, so whoever leaves a group loses the right at once. */
export function hasRole(
  actor: Actor,
  role: Role,
  roles: ReadonlyMap<Role, RoleSelector>,
  directory: Directory,
): boolean {
  const selector = roles.get(role);
  switch (actor.kind) {
    case 'person':
      return selector !== undefined && selectsPerson(selector, directory, actor.person);
    case 'service':
      return selector !== undefined && selector.services.includes(actor.name);
    case 'host':
      // Whoever is root on the host can stop everything anyway: it may operate and read, never request or review.
      return true;
    case 'subject':
    case 'system':
      return false;
  }
}
