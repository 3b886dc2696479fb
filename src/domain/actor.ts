import type { PersonId } from './names.js';
import type { Subject } from './subject.js';

/** Who performs an administrative step, as established by authentication and by nothing else. */
export type Actor =
  | {
      /** A human whom the policy folder knows. */
      readonly kind: 'person';
      readonly person: PersonId;
      /** The certificate's subject; null for a token. */
      readonly subject: Subject | null;
      readonly via: string;
    }
  | {
      /** A certificate that no person claims. */
      readonly kind: 'subject';
      readonly subject: Subject;
      readonly via: string;
    }
  | {
      /** A token made for anybody or anything but the person who made it. It never reviews. */
      readonly kind: 'service';
      readonly name: string;
      /** What it may ask access for, if anything. */
      readonly subject: Subject | null;
      readonly via: string;
    }
  | { /** Whoever can open the admin socket. */ readonly kind: 'host' }
  | { /** The service itself, as when a policy change ends a grant. */ readonly kind: 'system' };

/** How an actor is written in the log and in answers. */
export function printActor(actor: Actor): string {
  switch (actor.kind) {
    case 'person':
      return actor.person;
    case 'subject':
      return actor.subject;
    case 'service':
      return `service:${actor.name}`;
    case 'host':
    case 'system':
      return actor.kind;
  }
}

/**
 * Identifies an actor across calls: what idempotency keys are scoped to, and what rates are counted by. Service tokens
 * of one name are made for different subjects, and those have nothing to do with each other.
 */
export function actorKey(actor: Actor): string {
  const name = `${actor.kind} ${printActor(actor)}`;
  return actor.kind === 'service' && actor.subject !== null ? `${name} ${actor.subject}` : name;
}
