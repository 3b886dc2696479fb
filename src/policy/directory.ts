import type { GroupName, PersonId } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import type { Directory, PeopleSelector } from '../domain/who.js';
import type { Defined, Sections } from './merge.js';
import { knownNames } from './names.js';
import { printPlace, type Findings, type Path, type Place } from './problem.js';

/** Everybody the folder knows. A subject belongs to one person: two that share it could review each other's requests. */
export function readDirectory({ people, groups }: Sections, findings: Findings): Directory {
  const claims = new Map<Subject, { readonly person: PersonId; readonly place: Place }>();
  for (const [name, person] of people) claim(name as PersonId, person, claims, findings);
  return {
    personOf: new Map([...claims].map(([subject, { person }]) => [subject, person])),
    subjectsOf: new Map([...people].map(([name, { value }]) => [name as PersonId, value.subjects.toSorted()])),
    groups: new Map(
      [...groups].map(([name, group]) => {
        const naming = { what: 'a person', known: people, placeOf: (i: number) => group.at(i) };
        return [name as GroupName, new Set(knownNames(group.value, naming, findings) as PersonId[])];
      }),
    ),
  };
}

function claim(
  person: PersonId,
  { value, at }: Defined<{ readonly subjects: readonly Subject[] }>,
  claims: Map<Subject, { readonly person: PersonId; readonly place: Place }>,
  findings: Findings,
): void {
  for (const [i, subject] of value.subjects.entries()) {
    const place = at('subjects', i);
    const first = claims.get(subject);
    if (!first) claims.set(subject, { person, place });
    else
      findings.problem(
        place,
        `expected a subject of one person, got ${JSON.stringify(subject)}, which ${first.person} claims at ${printPlace(first.place)}`,
      );
  }
}

/** People as a policy or a role names them; `at` leads to what holds the keys `people` and `groups`. */
export function readPeople(
  { people, groups }: { readonly people: readonly string[]; readonly groups: readonly string[] },
  sections: Sections,
  at: (...steps: Path) => Place,
  findings: Findings,
): PeopleSelector {
  return {
    people: knownNames(
      people,
      { what: 'a person', known: sections.people, placeOf: (i) => at('people', i) },
      findings,
    ) as PersonId[],
    groups: knownNames(
      groups,
      { what: 'a group', known: sections.groups, placeOf: (i) => at('groups', i) },
      findings,
    ) as GroupName[],
  };
}
