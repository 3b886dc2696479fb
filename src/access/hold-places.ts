import type { PersonId, ResourceName } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';

/** How many connections may wait at a time: of one subject for one resource, of one person, of all. */
export const HOLD_PLACES = { ofOne: 2, ofPerson: 4, inAll: 256 } as const;

/** Whose connection it is, and what for. */
export interface Waiter {
  readonly subject: Subject;
  readonly person: PersonId;
  readonly resource: ResourceName;
}

/** Counts who waits, so that nobody takes the room of others. */
export class HoldPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  get taken(): number {
    return this.#all;
  }

  /** What gives the place back, once however often it is called; null when there is none left for this waiter. */
  take({ subject, person, resource }: Waiter): (() => void) | null {
    const [one, own] = [`one ${subject} ${resource}`, `person ${person}`];
    if (this.#all >= HOLD_PLACES.inAll) return null;
    if (this.#of(one) >= HOLD_PLACES.ofOne || this.#of(own) >= HOLD_PLACES.ofPerson) return null;
    this.#count([one, own], 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#count([one, own], -1);
      isTaken = false;
    };
  }

  #of(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  #count(keys: readonly string[], by: 1 | -1): void {
    this.#all += by;
    for (const key of keys) {
      const count = this.#of(key) + by;
      if (count === 0) this.#taken.delete(key);
      else this.#taken.set(key, count);
    }
  }
}
