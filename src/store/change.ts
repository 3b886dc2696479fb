import type { Actor } from '../domain/actor.js';
import type { AuditEntry, Transition } from '../domain/audit-entry.js';
import type { Canonical } from '../domain/canonical.js';
import type { Draft } from '../domain/draft.js';
import type { DraftId } from '../domain/ids.js';
import type { Lock } from '../domain/lock.js';
import type { Review } from '../domain/review.js';
import type { Instant } from '../domain/time.js';
import { frozen } from './decode-cache.js';
import { clearTheWay, removeDraft } from './drafts.js';
import { headBody, raised, type Head } from './head.js';
import * as keys from './keys.js';
import type { LockCache } from './lock-cache.js';
import type { LockSet } from './lock-set.js';
import type { Records } from './records.js';
import { LmdbSnapshot } from './snapshot.js';
import type { Answered, Change } from './store.js';
import { DRAFTS, GRANTS, REQUESTS, TOKENS, type Table } from './tables.js';

/** One change inside of its own child transaction: what it writes it also reads. */
export class LmdbChange extends LmdbSnapshot implements Change {
  readonly #at: Instant;
  #changedLocks: LockSet | null = null;
  #failure: unknown = null;
  readonly #before: Head;

  constructor(records: Records, lockCache: LockCache, at: Instant) {
    super(records, lockCache, null);
    this.#at = at;
    this.#before = this.head;
  }

  get nextSequence(): number {
    return this.sequence + 1;
  }

  override locks(): readonly Lock[] {
    return this.#changedLocks?.locks ?? super.locks();
  }

  record(actor: Actor, transition: Transition): void {
    this.assertCurrent();
    this.#attempt(() => {
      const sequence = this.nextSequence;
      const entry: AuditEntry = { v: 1, sequence, at: this.#at, actor, transition };
      this.records.put(keys.entryKey(sequence), entry as unknown as Canonical);
      this.#apply(transition, sequence);
      this.head = { ...this.head, sequence };
    });
  }

  remember(actorKey: string, key: string, answer: Answered): void {
    this.assertCurrent();
    this.#attempt(() => {
      const place = keys.answerKey(actorKey, key);
      const before = this.answered(actorKey, key);
      if (before !== undefined) this.records.remove(keys.answerByTimeKey(before.at, place));
      this.records.put(place, answer as unknown as Canonical);
      this.records.put(keys.answerByTimeKey(answer.at, place), null);
    });
  }

  keepDraft(draft: Draft): void {
    this.assertCurrent();
    this.#attempt(() => {
      clearTheWay(this.records, draft.id);
      this.#put(DRAFTS, draft);
    });
  }

  removeDraft(id: DraftId): void {
    this.assertCurrent();
    this.#attempt(() => removeDraft(this.records, id));
  }

  /**
   * Writes the head if anything has changed; the last thing in the transaction.
   *
   * @throws whatever went wrong while something was written, even if the callback has caught it: half a transition must
   * not be committed
   */
  finish(): void {
    if (this.#failure !== null) throw this.#failure;
    const head = raised(this.head, this.#at);
    if (head !== this.#before) this.records.put(keys.HEAD_KEY, headBody(head));
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  #apply(transition: Transition, sequence: number): void {
    switch (transition.action) {
      case 'request.created':
      case 'request.approved':
      case 'request.denied':
      case 'request.withdrawn':
        return this.#put(REQUESTS, transition.request);
      case 'review.given':
        return this.#putReview(transition.review, sequence);
      case 'grant.created':
      case 'grant.ended':
        return this.#put(GRANTS, transition.grant);
      case 'lock.created':
        return this.#putLock(transition.lock);
      case 'lock.removed':
        return this.#removeLock(transition.lock);
      case 'token.created':
      case 'token.revoked':
        return this.#put(TOKENS, transition.token);
      case 'guard.joined':
      case 'guard.left':
      case 'session.opened':
      case 'session.cut':
      case 'session.closed':
      case 'service.started':
      case 'service.stopped':
      case 'policy.loaded':
        return;
    }
  }

  /** The thing and its index entries; entries that no longer lead to it go. */
  #put<T>(table: Table<T>, thing: T): void {
    const id = table.idOf(thing);
    const before = this.one(table, id);
    const wanted = table.indexKeysOf(thing);
    const present = before === undefined ? [] : table.indexKeysOf(before);
    for (const key of present) if (!wanted.some((other) => other.equals(key))) this.records.remove(key);
    this.records.put(table.keyOf(id), thing as Canonical);
    for (const key of wanted) if (!present.some((other) => other.equals(key))) this.records.put(key, null);
  }

  #putReview(review: Review, sequence: number): void {
    this.records.put(keys.reviewKey(review.requestId, sequence), review as unknown as Canonical);
  }

  /** The set is checked before it is changed: a seal over a set that has lost a lock would make the loss good. */
  #putLock(lock: Lock): void {
    const set = this.#lockSet();
    const key = keys.lockKey(lock.id);
    const record = this.records.put(key, lock as unknown as Canonical);
    const kept = this.records.codec.decode(key, record);
    this.#seal(set.with({ key, record, lock: frozen(kept) as unknown as Lock }));
  }

  #removeLock({ id }: Lock): void {
    const set = this.#lockSet();
    this.records.remove(keys.lockKey(id));
    this.#seal(set.without(keys.lockKey(id)));
  }

  #lockSet(): LockSet {
    return this.#changedLocks ?? this.lockCache.loadAfresh(this.head.locks);
  }

  #seal(set: LockSet): void {
    this.#changedLocks = set;
    this.head = { ...this.head, locks: set.seal };
  }
}
