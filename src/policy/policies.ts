import { HARD_CEILING, printDuration } from '../domain/durations.js';
import type { ActionName, PolicyName, ResourceName } from '../domain/names.js';
import type { ApprovalStage, Policy, WhatSelector } from '../domain/policy.js';
import { LONGEST_HOLD } from '../domain/hold.js';
import { actionsOf, type Resource } from '../domain/resource.js';
import { printTrustedPattern, type Directory, type WhoSelector } from '../domain/who.js';
import { coveredBy } from './coverage.js';
import { policyDigest } from './digest.js';
import { readPeople } from './directory.js';
import { membersOf } from './members.js';
import type { Sections } from './merge.js';
import { didYouMean } from '../domain/near-miss.js';
import { knownNames } from './names.js';
import { printPlace, type Findings, type Place } from './problem.js';

type Entry = Sections['policies'] extends ReadonlyMap<string, infer D> ? D : never;

/** What the policies of the folder refer to. */
export interface Known {
  readonly sections: Sections;
  readonly directory: Directory;
  readonly resources: ReadonlyMap<ResourceName, Resource>;
}

/** The policies of the folder, each with its digest. */
export function readPolicies(known: Known, findings: Findings): ReadonlyMap<PolicyName, Policy> {
  const { policies } = known.sections;
  checkPriorities(policies, findings);
  return new Map([...policies.values()].map((entry) => [entry.name as PolicyName, readPolicy(entry, known, findings)]));
}

function readPolicy(entry: Entry, known: Known, findings: Findings): Policy {
  const { justification, pending, priority, sessions, onDeny } = entry.value;
  const content = {
    name: entry.name as PolicyName,
    who: readWho(entry, known, findings),
    what: readWhat(entry, known, findings),
    duration: readDuration(entry, findings),
    justification,
    pending,
    approval: readApproval(entry, known, findings),
    priority: priority ?? null,
    sessions: { max: sessions.max ?? null, idle: sessions.idle ?? null },
    onDeny: onDeny ?? null,
    hold: readHold(entry, findings),
  };
  return { ...content, digest: policyDigest(content) };
}

function readWho({ value: { who }, at }: Entry, { sections }: Known, findings: Findings): WhoSelector {
  if (who.people.length + who.groups.length + who.subjects.length === 0) {
    findings.problem(
      at('who'),
      'expected at least one of people, groups and subjects, got none: such a policy admits nobody',
    );
  }
  return {
    ...readPeople(who, sections, (...steps) => at('who', ...steps), findings),
    subjects: who.subjects.toSorted((a, b) => (printTrustedPattern(a) < printTrustedPattern(b) ? -1 : 1)),
  };
}

/** No labels at all would cover every resource, so an empty mapping is never what somebody meant. */
function readWhat({ value, at }: Entry, { sections, resources }: Known, findings: Findings): WhatSelector {
  const { labels = null, actions = null } = value.what;
  if (labels && Object.keys(labels).length === 0) {
    findings.problem(at('what', 'labels'), 'expected at least one label, got none: every resource would be covered');
  } else if (value.what.resources.length === 0 && !labels) {
    findings.problem(
      at('what'),
      'expected at least one of resources and labels, got none: such a policy covers nothing',
    );
  }
  const naming = {
    what: 'a resource',
    known: sections.resources,
    placeOf: (i: number) => at('what', 'resources', i),
  };
  const what: WhatSelector = {
    resources: knownNames(value.what.resources, naming, findings) as ResourceName[],
    labels,
    actions: null,
  };
  if (!actions) return what;
  const offered = new Set(coveredBy(what, resources.values()).flatMap((resource) => actionsOf(resource)));
  for (const [i, action] of actions.entries()) {
    if (offered.has(action as ActionName)) continue;
    const hint = didYouMean(action, offered) || `; there are: ${[...offered].sort().join(', ') || 'none'}`;
    findings.problem(
      at('what', 'actions', i),
      `expected an action of a resource that the policy covers, got ${JSON.stringify(action)}${hint}`,
    );
  }
  return { ...what, actions: actions.toSorted() as ActionName[] };
}

function readDuration({ value: { duration }, at }: Entry, findings: Findings): Policy['duration'] {
  if (duration.max > HARD_CEILING) {
    findings.problem(
      at('duration', 'max'),
      `expected at most ${printDuration(HARD_CEILING)}, got ${printDuration(duration.max)}: there is no longer access`,
    );
  }
  if (duration.default > duration.max) {
    findings.problem(
      at('duration', 'default'),
      `expected at most max, ${printDuration(duration.max)}, got ${printDuration(duration.default)}`,
    );
  }
  return duration;
}

/** A held connection has no way to say anything, so its request must be complete without a word. */
function readHold({ value: { hold, justification, pending }, at }: Entry, findings: Findings): Policy['hold'] {
  if (hold === undefined) return null;
  if (hold > LONGEST_HOLD) {
    findings.problem(
      at('hold'),
      `expected at most ${printDuration(LONGEST_HOLD)}, got ${printDuration(hold)}: clients do not wait longer`,
    );
  }
  if (hold > pending) {
    findings.problem(
      at('hold'),
      `expected at most pending, ${printDuration(pending)}, got ${printDuration(hold)}: the request would lapse before`,
    );
  }
  if (justification === 'required') {
    findings.problem(
      at('hold'),
      'expected a policy with justification: optional: nobody can justify anything while a connection waits',
    );
  }
  return hold;
}

function readApproval({ value, at }: Entry, { sections, directory }: Known, findings: Findings): ApprovalStage {
  const { count, from: names } = value.approval[0]!;
  const before = findings.problems.length;
  const from = readPeople(names, sections, (...steps) => at('approval', 0, 'from', ...steps), findings);
  if (names.people.length + names.groups.length === 0) {
    findings.problem(
      at('approval', 0, 'from'),
      'expected at least one of people and groups, got none: nobody could approve',
    );
  }
  const reviewers = membersOf(from, directory).size;
  // With an unknown name in `from` the number would be wrong, and the name is told already.
  if (findings.problems.length === before && count > reviewers) {
    findings.problem(
      at('approval', 0, 'count'),
      `expected at most ${reviewers}, the number of people in from, got ${count}`,
    );
  }
  return { count, from };
}

function checkPriorities(policies: Sections['policies'], findings: Findings): void {
  const taken = new Map<number, { readonly name: string; readonly place: Place }>();
  for (const { name, value, at } of policies.values()) {
    if (value.priority === undefined) continue;
    const place = at('priority');
    const first = taken.get(value.priority);
    if (first) {
      findings.problem(
        place,
        `expected a priority of its own, got ${value.priority}, which ${first.name} has at ${printPlace(first.place)}`,
      );
    } else taken.set(value.priority, { name, place });
  }
}
