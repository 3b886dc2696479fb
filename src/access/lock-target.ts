import type { LockTarget } from '../domain/lock.js';
import type { PersonId } from '../domain/names.js';
import { didYouMean } from '../domain/near-miss.js';
import type { PolicySet } from '../domain/policy.js';
import { isClaimed, personBehind, selectsSubject } from '../domain/who.js';
import type { Snapshot } from '../store/store.js';

/** Among more names than these nobody looks for the one that was meant: it would hold up the checks. */
const MAX_NAMES = 2_000;

/**
 * Why a lock on this may be a slip of the pen, with the name that may have been meant; null where the target is known. Known is
 * what the policies name, and what somebody has asked for or as: a name that has just gone from the policies can still be
 * behind an incident.
 */
export function doubtAbout(
  target: LockTarget,
  policies: PolicySet,
  snapshot: Pick<Snapshot, 'requests'>,
): string | null {
  const { directory, resources } = policies;
  switch (target.kind) {
    case 'person':
      if (isClaimed(directory, target.person) || hasAsked(snapshot, { person: target.person })) return null;
      return `nothing is known of a person ${quoted(target.person)}${nearest(target.person, directory.subjectsOf)}`;
    case 'resource':
      if (resources.has(target.resource) || hasAsked(snapshot, { resource: target.resource })) return null;
      return `nothing is known of a resource ${quoted(target.resource)}${nearest(target.resource, resources)}`;
    case 'subject': {
      const { subject } = target;
      const admitted = () => [...policies.policies.values()].some(({ who }) => selectsSubject(who, directory, subject));
      const person = personBehind(directory, subject);
      if (directory.personOf.has(subject) || admitted() || hasAsked(snapshot, { person, subject })) return null;
      return `nobody claims the subject ${quoted(subject)}, and no policy admits it${nearest(subject, directory.personOf)}`;
    }
  }
}

/** Whether one of the last requests (of a person: of theirs) names all of this. */
function hasAsked(
  snapshot: Pick<Snapshot, 'requests'>,
  { person, ...wanted }: { readonly person?: PersonId; readonly subject?: string; readonly resource?: string },
): boolean {
  const { subject, resource } = wanted;
  try {
    const { items } = snapshot.requests({
      limit: 1,
      ...(person !== undefined && { person }),
      keep: (request) =>
        (subject === undefined || request.subject === subject) &&
        (resource === undefined || request.resource === resource),
    });
    return items.length > 0;
  } catch {
    // Of what cannot be read nobody knows: it must not keep a lock from being made.
    return true;
  }
}

function nearest(name: string, known: ReadonlyMap<string, unknown>): string {
  return known.size > MAX_NAMES ? '' : didYouMean(name, known.keys());
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
