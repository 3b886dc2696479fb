import type { GroupName, PersonId } from './names.js';
import { matchesSubject, printSubjectPattern, type SubjectPattern } from './subject-pattern.js';
import { partsOf, type Subject } from './subject.js';

/** People as policy files name them. Nobody is named means nobody. */
export interface PeopleSelector {
  readonly people: readonly PersonId[];
  readonly groups: readonly GroupName[];
}

/** Who may ask: people, and subjects by name, for those that no person claims (a batch job, say). */
export interface WhoSelector extends PeopleSelector {
  readonly subjects: readonly TrustedPattern[];
}

/** Subjects of one trust entry, as in `corp/spiffe://corp/batch/*`. */
export interface TrustedPattern {
  readonly trust: string;
  readonly pattern: SubjectPattern;
}

export function printTrustedPattern({ trust, pattern }: TrustedPattern): string {
  return `${trust}/${printSubjectPattern(pattern)}`;
}

/** Everybody the policy folder knows. */
export interface Directory {
  /** The person who claims a subject. Of the claimed subjects each belongs to exactly one. */
  readonly personOf: ReadonlyMap<Subject, PersonId>;
  readonly subjectsOf: ReadonlyMap<PersonId, readonly Subject[]>;
  readonly groups: ReadonlyMap<GroupName, ReadonlySet<PersonId>>;
}

/** The human behind a subject; a subject that nobody claims is a person of its own, who can never review. */
export function personBehind(directory: Directory, subject: Subject): PersonId {
  return directory.personOf.get(subject) ?? (subject as string as PersonId);
}

/** Whether the policy folder knows this person. */
export function isClaimed(directory: Directory, person: PersonId): boolean {
  return directory.subjectsOf.has(person);
}

/** Whether a person is named, alone or in a group; somebody whom the folder does not know never is. */
export function selectsPerson(selector: PeopleSelector, directory: Directory, person: PersonId): boolean {
  if (!isClaimed(directory, person)) return false;
  return selector.people.includes(person) || selector.groups.some((group) => directory.groups.get(group)?.has(person));
}

/** Whether a subject is named, or the person behind it. */
export function selectsSubject(selector: WhoSelector, directory: Directory, subject: Subject): boolean {
  const person = directory.personOf.get(subject);
  if (person !== undefined && selectsPerson(selector, directory, person)) return true;
  const { trust } = partsOf(subject);
  return selector.subjects.some((entry) => entry.trust === trust && matchesSubject(entry.pattern, subject));
}

/** Everybody a selector names, in a stable order: for telling a requester who can approve. */
export function peopleOf(selector: PeopleSelector, directory: Directory): PersonId[] {
  const members = selector.groups.flatMap((group) => [...(directory.groups.get(group) ?? [])]);
  return [...new Set([...selector.people, ...members])].filter((person) => isClaimed(directory, person)).sort();
}
