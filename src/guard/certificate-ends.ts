import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';

/** More than are allowed until a guard tells a session, which takes a second at most. */
const REMEMBERED = 20_000;

/**
 * When the certificates end that were let in lately, by decision. A session must never be lengthened beyond that of its own;
 * of one that is forgotten nothing is known, and it is not lengthened.
 */
export class CertificateEnds {
  #young = new Map<DecisionId, Instant>();
  #old = new Map<DecisionId, Instant>();

  note(decision: DecisionId, until: Instant): void {
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(decision, until);
  }

  find(decision: DecisionId): Instant | undefined {
    return this.#young.get(decision) ?? this.#old.get(decision);
  }
}
