import { expect, test } from 'vitest';
import { actorFor, group, person, policySet, robot } from '../../test/builders.js';
import type { Actor } from './actor.js';
import { hasRole, ROLES, type Role, type RoleSelector } from './roles.js';

const { directory } = policySet();
const roles: ReadonlyMap<Role, RoleSelector> = new Map([
  ['operator', { people: [person('carol'), person('gone')], groups: [], services: ['siem', 'alice'] }],
  ['auditor', { people: [], groups: [group('sre')], services: [] }],
]);
const service = (name: string): Actor => ({ kind: 'service', name, subject: null, via: 'tok_1' });

test.for<[string, Actor, readonly Role[]]>([
  ['a person who is named, and is in a group that is', actorFor('carol'), ['operator', 'auditor']],
  ['a person in a group that is named', actorFor('bob'), ['auditor']],
  ['a person of the same name as a service', actorFor('alice'), []],
  ['a person who is named and whom nobody knows', actorFor('gone'), []],
  ['a service that is named', service('siem'), ['operator']],
  ['a service of the same name as a person', service('carol'), []],
  ['a service of the same name as a group', service('sre'), []],
  ['a subject that nobody claims', { kind: 'subject', subject: robot, via: 'certificate' }, []],
  ['the host', { kind: 'host' }, ['operator', 'auditor', 'admin']],
  ['the service itself', { kind: 'system' }, []],
])('%s: %j', ([, actor, expected]) => {
  expect(ROLES.filter((role) => hasRole(actor, role, roles, directory))).toEqual(expected);
});

test('whoever leaves the group has lost the role', () => {
  const left = policySet({ groups: { sre: ['carol'] } }).directory;
  expect(hasRole(actorFor('bob'), 'auditor', roles, directory)).toBe(true);
  expect(hasRole(actorFor('bob'), 'auditor', roles, left)).toBe(false);
});
