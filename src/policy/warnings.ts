import type { PersonId } from '../domain/names.js';
import type { Policy, PolicySet } from '../domain/policy.js';
import { actionsOf } from '../domain/resource.js';
import { selectsSubject } from '../domain/who.js';
import { coveredBy } from './coverage.js';
import { membersOf } from './members.js';
import type { Sections } from './merge.js';
import type { Findings } from './problem.js';

/** Tells what is allowed but hardly meant: groups nobody uses, policies that admit nobody or that nobody could approve. */
export function warn(set: PolicySet, sections: Sections, findings: Findings): void {
  warnOfGroups(set, sections, findings);
  warnOfResources(set, sections, findings);
  for (const policy of set.policies.values()) {
    const { at } = sections.policies.get(policy.name)!;
    const asking = requestersOf(policy, set);
    if (asking.length === 0 && policy.who.subjects.length === 0) {
      findings.warning(at('who'), 'admits nobody: none of these people claims a subject');
    }
    const reviewers = membersOf(policy.approval.from, set.directory);
    const stuck = asking.filter((person) => reviewers.size - Number(reviewers.has(person)) < policy.approval.count);
    if (stuck.length > 0) {
      findings.warning(
        at('approval', 0),
        `nobody reviews own requests, so those of ${stuck.sort().join(', ')} can never be approved`,
      );
    }
    warnOfWhat(policy, set, sections, findings);
  }
}

/** Those named who have a certificate at all, and those whose certificate a pattern covers. */
function requestersOf({ who }: Policy, { directory }: PolicySet): PersonId[] {
  const named = [...membersOf(who, directory)].filter((person) => directory.subjectsOf.get(person)?.length);
  const claims = who.subjects.length === 0 ? [] : [...directory.personOf];
  const covered = claims.filter(([subject]) => selectsSubject(who, directory, subject)).map(([, person]) => person);
  return [...new Set([...named, ...covered])];
}

function warnOfWhat({ name, what }: Policy, set: PolicySet, sections: Sections, findings: Findings): void {
  const { at } = sections.policies.get(name)!;
  const covered = coveredBy(what, set.resources.values());
  if (covered.length === 0)
    findings.warning(at('what', 'labels'), 'covers nothing: no resource has all of these labels');
  if (what.labels && what.resources.length > 0) {
    findings.warning(at('what'), 'resources and labels add up: covered is what is named and what has the labels');
  }
  for (const resource of covered) {
    if (!what.resources.includes(resource.name) || !what.actions) continue;
    if (actionsOf(resource).some((action) => what.actions!.includes(action))) continue;
    findings.warning(at('what', 'actions'), `gives nothing on ${resource.name}, which has none of these actions`);
  }
}

function warnOfGroups({ policies, roles }: PolicySet, { groups }: Sections, findings: Findings): void {
  const selectors = [...policies.values()].flatMap(({ who, approval }) => [who, approval.from]);
  const used = new Set<string>([...selectors, ...roles.values()].flatMap((selector) => selector.groups));
  for (const { name, at } of groups.values()) {
    if (!used.has(name)) findings.warning(at(), 'no policy and no role uses this group');
  }
}

function warnOfResources({ policies, resources }: PolicySet, sections: Sections, findings: Findings): void {
  const covered = new Set(
    [...policies.values()].flatMap(({ what }) => coveredBy(what, resources.values()).map(({ name }) => name)),
  );
  for (const name of resources.keys()) {
    if (!covered.has(name)) findings.warning(sections.resources.get(name)!.at(), 'no policy covers this resource');
  }
}
