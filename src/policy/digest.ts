import { createHash } from 'node:crypto';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { Policy, PolicySet } from '../domain/policy.js';
import type { Resource } from '../domain/resource.js';
import { printTrustedPattern, type PeopleSelector } from '../domain/who.js';
import { printActionPattern } from './action-text.js';

/**
 * SHA-256 in hexadecimal of what a policy says. What means the same has the same digest: order, comments, file names and
 * the spelling of durations and subjects do not count. A new field needs a new `v`: policies without it keep theirs.
 */
export function policyDigest(policy: Omit<Policy, 'digest'>): string {
  const { name, who, what, duration, justification, pending, approval, priority, sessions, onDeny, hold } = policy;
  const limits = (sessions.max !== null || sessions.idle !== null) && { sessions };
  const refusing = (onDeny !== null || hold !== null) && { onDeny, hold };
  return digestOf({
    v: refusing ? 3 : limits ? 2 : 1,
    name,
    who: { ...selector(who), subjects: who.subjects.map(printTrustedPattern).sort() },
    what: { resources: what.resources.toSorted(), labels: what.labels, actions: what.actions?.toSorted() ?? null },
    duration: { default: duration.default, max: duration.max },
    justification,
    pending,
    approval: { count: approval.count, from: selector(approval.from) },
    priority,
    ...limits,
    ...refusing,
  });
}

/** SHA-256 in hexadecimal of everything the folder says; as for one policy. */
export function setDigest({ directory, resources, policies, roles }: Omit<PolicySet, 'digest'>): string {
  return digestOf({
    v: 1,
    people: members(directory.subjectsOf, (subjects) => subjects.toSorted()),
    groups: members(directory.groups, (people) => [...people].sort()),
    resources: members(resources, resourceContent),
    policies: members(policies, ({ digest }) => digest),
    roles: members(roles, (role) => ({ ...selector(role), services: role.services.toSorted() })),
  });
}

function resourceContent({ description, labels, actions, http, tcp }: Resource): Canonical {
  return {
    description,
    labels,
    actions: members(actions, (patterns) => patterns.map(printActionPattern).sort()),
    http: http && { authority: http.authority.toSorted(), upstream: http.upstream },
    tcp: tcp && { port: tcp.port, sni: tcp.sni, upstream: tcp.upstream, gate: tcp.gate },
  };
}

function selector({ people, groups }: PeopleSelector): { readonly [key: string]: Canonical } {
  return { people: people.toSorted(), groups: groups.toSorted() };
}

function members<V>(map: ReadonlyMap<string, V>, content: (value: V) => Canonical): Canonical {
  return Object.fromEntries([...map].map(([name, value]) => [name, content(value)]));
}

function digestOf(content: Canonical): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}
