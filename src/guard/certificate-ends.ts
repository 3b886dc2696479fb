import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';

/** More than are allowed until a guard tells a session, which takes a second at most. */
const REMEMBERED = 32_768;

/**
 * When the certificates end that were let in lately, by decision. A session must never be lengthened beyond that of its own;
 * of one that is forgotten nothing is known, and it is not lengthened.
 */
export class CertificateEnds {
  readonly #decisions: DecisionId[] = Array.from({ length: REMEMBERED }, () => '' as DecisionId);
  readonly #ends = new Float64Array(REMEMBERED);
  /** Numbers of decisions by id, as far as `#indexed`: many are noted, and few are asked for. */
  readonly #numbers = new Map<DecisionId, number>();
  #noted = 0;
  #indexed = 0;

  note(decision: DecisionId, until: Instant): void {
    const place = this.#noted++ % REMEMBERED;
    this.#decisions[place] = decision;
    this.#ends[place] = until;
  }

  find(decision: DecisionId): Instant | undefined {
    this.#index();
    const number = this.#numbers.get(decision);
    return number === undefined ? undefined : (this.#ends[number % REMEMBERED] as Instant);
  }

  #index(): void {
    const oldest = this.#noted - REMEMBERED;
    for (const [decision, number] of this.#numbers) {
      if (number >= oldest) break;
      this.#numbers.delete(decision);
    }
    for (let number = Math.max(oldest, this.#indexed); number < this.#noted; number++)
      this.#numbers.set(this.#decisions[number % REMEMBERED]!, number);
    this.#indexed = this.#noted;
  }
}
