import type { LockId } from './ids.js';
import type { PersonId, ResourceName } from './names.js';
import type { Subject } from './subject.js';
import type { Instant } from './time.js';

/** A deny that beats every grant while it is in force. It suspends grants and ends none. */
export interface Lock {
  readonly id: LockId;
  readonly target: LockTarget;
  /** Why, for those who look after it. */
  readonly reason: string;
  /** What whoever it hits is told; may be empty. */
  readonly message: string;
  readonly createdAt: Instant;
  /** Who made it, as `printActor` writes it. */
  readonly createdBy: string;
  /** From this instant on it is not in force; null: until it is removed. */
  readonly expiresAt: Instant | null;
  readonly revision: number;
}

/** What a lock is on. */
export type LockTarget =
  | { readonly kind: 'subject'; readonly subject: Subject }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'resource'; readonly resource: ResourceName };

/** What a lock may hit: a question, or a grant. */
export interface Hit {
  readonly subject: Subject;
  readonly person: PersonId;
  readonly resource: ResourceName;
}

/** Asked so that an end which is no number never comes. */
export function isInForce(lock: Lock, now: Instant): boolean {
  return lock.expiresAt === null || !(lock.expiresAt <= now);
}

/**
 * Whether the lock denies this.
 *
 * @throws {TypeError} for a target that this version does not know (a later one wrote it): a lock that hit nothing would
 * be a hole, so whoever asks must deny
 */
export function hits(lock: Lock, { subject, person, resource }: Hit): boolean {
  switch (lock.target.kind) {
    case 'subject':
      return lock.target.subject === subject;
    case 'person':
      return lock.target.person === person;
    case 'resource':
      return lock.target.resource === resource;
  }
  const unknown: never = lock.target;
  throw new TypeError(`lock ${lock.id} has a target of an unknown kind: ${JSON.stringify(unknown)}`);
}

/** How a target is written in the log and in answers. */
export function printLockTarget(target: LockTarget): string {
  switch (target.kind) {
    case 'subject':
      return `subject ${target.subject}`;
    case 'person':
      return `person ${target.person}`;
    case 'resource':
      return `resource ${target.resource}`;
  }
}
