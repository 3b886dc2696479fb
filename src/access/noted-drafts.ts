import { draftIdOf, MAX_DRAFTS, MAX_DRAFTS_OF_SUBJECT, type DraftTarget } from '../domain/draft.js';
import type { DraftId } from '../domain/ids.js';
import type { Sha256 } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import type { Refused } from './keep-drafts.js';

/** A draft as the refusals of the last minute have left it. */
export interface Noted {
  readonly id: DraftId;
  readonly target: DraftTarget;
  /** The last refusal. */
  refused: Refused;
  /** Refusals that are not on disk. */
  fresh: number;
  /** On the monotonic clock; null while it has never been written. */
  writtenAt: number | null;
}

/**
 * The drafts that somebody was refused for lately: as many as may be kept and no more, so that of those that have been
 * named none ever makes way for another. Some 10 MiB, should thousands of certificates all try at once.
 */
export class NotedDrafts {
  readonly #sha256: Sha256;
  readonly #byTarget = new Map<string, Noted>();
  readonly #byId = new Map<DraftId, Noted>();
  readonly #ofSubject = new Map<Subject, Set<Noted>>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** One that is there already, or a new one; null where there are too many, of this subject or in all. */
  findOrAdd(target: DraftTarget, refused: Refused): Noted | null {
    const key = keyOf(target);
    const known = this.#byTarget.get(key);
    if (known) return known;
    const others = this.#ofSubject.get(target.subject) ?? new Set();
    if (this.#byTarget.size >= MAX_DRAFTS || others.size >= MAX_DRAFTS_OF_SUBJECT) return null;
    const noted: Noted = { id: draftIdOf(target, this.#sha256), target, refused, fresh: 0, writtenAt: null };
    this.#byTarget.set(key, noted);
    this.#byId.set(noted.id, noted);
    this.#ofSubject.set(target.subject, others.add(noted));
    return noted;
  }

  isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  has(id: DraftId): boolean {
    return this.#byId.has(id);
  }

  all(): readonly Noted[] {
    return [...this.#byId.values()];
  }

  of(subject: Subject): readonly Noted[] {
    return [...(this.#ofSubject.get(subject) ?? [])];
  }

  forget(id: DraftId): void {
    const noted = this.#byId.get(id);
    if (noted) this.drop(noted);
  }

  /** Not one that has taken its place since. */
  drop(noted: Noted): void {
    const { id, target } = noted;
    if (this.#byId.get(id) !== noted) return;
    this.#byId.delete(id);
    this.#byTarget.delete(keyOf(target));
    const others = this.#ofSubject.get(target.subject);
    others?.delete(noted);
    if (others?.size === 0) this.#ofSubject.delete(target.subject);
  }
}

/** Names hold no spaces, so what stands behind them is the subject, whatever is in it. */
function keyOf({ subject, resource, action, policy }: DraftTarget): string {
  return `${resource} ${action} ${policy} ${subject}`;
}
