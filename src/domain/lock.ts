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

export type LockTarget =
  | { readonly kind: 'subject'; readonly subject: Subject }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'resource'; readonly resource: ResourceName };

export interface Hit {
  readonly subject: Subject;
  readonly person: PersonId;
  readonly resource: ResourceName;
}

export function isInForce(lock: Lock, now: Instant): boolean {
  return lock.expiresAt === null || now < lock.expiresAt;
}

export function hits(lock: Lock, { subject, person, resource }: Hit): boolean {
  switch (lock.target.kind) {
    case 'subject':
      return lock.target.subject === subject;
    case 'person':
      return lock.target.person === person;
    case 'resource':
      return lock.target.resource === resource;
  }
}

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
