import { printActor, type Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import { isInForce, type Lock } from '../domain/lock.js';
import type { PersonId } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { personBehind, type Directory } from '../domain/who.js';
import type { Snapshot } from '../store/store.js';

/** What a step is judged against. */
interface Given {
  readonly snapshot: Pick<Snapshot, 'locks'>;
  readonly directory: Directory;
  readonly now: Instant;
}

/**
 * For steps that give access or lead to it: a lock stops not only the connections of whoever it is on. Ending access stays
 * open to everybody.
 *
 * @throws {AccessError} `not_permitted`
 */
export function assertNotUnderLock(actor: Actor, doing: string, { snapshot, directory, now }: Given): void {
  const lock = snapshot.locks().find((one) => isInForce(one, now) && isOn(one, actor, directory));
  if (!lock) return;
  const told = lock.message === '' ? '' : `: ${lock.message}`;
  throw new AccessError('not_permitted', `${doing} is closed to ${printActor(actor)} by lock ${lock.id}${told}`);
}

/** Whether an earlier approval of this person does not count now: a lock is on them, or on a certificate that may have given it. */
export function isDoubted(person: PersonId, { snapshot, directory, now }: Given): boolean {
  const actor: Actor = { kind: 'person', person, subject: null, via: 'an earlier review' };
  return snapshot.locks().some((lock) => isInForce(lock, now) && isOn(lock, actor, directory));
}

/**
 * Whether a lock is on this actor: on the person, on the certificate, or, for a person without one, on any certificate of
 * theirs: a token may have been made with that.
 */
export function isOn({ target }: Pick<Lock, 'target'>, actor: Actor, directory: Directory): boolean {
  const { person, subjects } = identityOf(actor, directory);
  switch (target.kind) {
    case 'person':
      return target.person === person;
    case 'subject':
      return subjects.includes(target.subject);
    case 'resource':
      return false;
  }
}

function identityOf(
  actor: Actor,
  directory: Directory,
): { readonly person: PersonId | null; readonly subjects: readonly Subject[] } {
  switch (actor.kind) {
    case 'person':
      return {
        person: actor.person,
        subjects: actor.subject === null ? (directory.subjectsOf.get(actor.person) ?? []) : [actor.subject],
      };
    case 'subject':
      return { person: personBehind(directory, actor.subject), subjects: [actor.subject] };
    case 'service':
      return actor.subject === null
        ? { person: null, subjects: [] }
        : { person: personBehind(directory, actor.subject), subjects: [actor.subject] };
    case 'host':
    case 'system':
      return { person: null, subjects: [] };
  }
}
