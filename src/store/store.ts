import type { Actor } from '../domain/actor.js';
import type { AuditEntry, Transition } from '../domain/audit-entry.js';
import type { Brand } from '../domain/brand.js';
import type { Canonical } from '../domain/canonical.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { Draft } from '../domain/draft.js';
import type { Grant } from '../domain/grant.js';
import type { DecisionId, DraftId, GrantId, LockId, RequestId, TokenId } from '../domain/ids.js';
import type { Lock } from '../domain/lock.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { AccessRequest } from '../domain/request.js';
import type { Review } from '../domain/review.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { Token } from '../domain/token.js';

/** What was kept cannot be believed: a record without its proper MAC, a lock set that does not match its header. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/**
 * The state at one moment. Its methods are what `access` asks, each answered from the same snapshot; a snapshot is used
 * within one synchronous callback and is worthless afterwards.
 *
 * @throws {DamagedError} from every method but `drafts`: what is damaged is reported and never left out
 */
export interface Snapshot {
  /** Number of the last change; 0 when there was none. */
  readonly sequence: number;

  /** All locks, in force or not, checked against the header of the set: a lost lock is an error, not a hole. */
  locks(): readonly Lock[];

  /**
   * Grants of `subject` on `resource` whose natural end lies after `now`, whatever ended them early, and of the others
   * the one with the latest end.
   */
  grantsFor(subject: Subject, resource: ResourceName, now: Instant): readonly Grant[];

  /** Requests of `subject` for `resource` that nobody has decided and that have not lapsed at `now`. */
  pendingFor(subject: Subject, resource: ResourceName, now: Instant): readonly AccessRequest[];

  request(id: RequestId): AccessRequest | undefined;
  /** In the order in which they were given. */
  reviewsOf(id: RequestId): readonly Review[];
  grant(id: GrantId): Grant | undefined;
  lock(id: LockId): Lock | undefined;
  token(id: TokenId): Token | undefined;
  /** The token with this hash, usable or not. */
  tokenByHash(hash: string): Token | undefined;
  /** Newest first. `person` narrows to requests of one person, `pendingAt` to those that wait at that instant. */
  requests(query: RequestQuery): Page<AccessRequest>;
  /** Newest first. `person` narrows to grants of one person, `unexpiredAt` to those whose natural end lies after it. */
  grants(query: GrantQuery): Page<Grant>;
  /** Grants whose natural end lies in the span, whatever ended them early: the first to end, at most `limit`. */
  grantsEnding(span: Span, limit: number): readonly Ending<GrantId>[];
  /** Requests that nobody has decided and that lapse in the span: the first to lapse, at most `limit`. */
  requestsLapsing(span: Span, limit: number): readonly Ending<RequestId>[];
  /** Newest first. `maker` narrows to tokens that one actor made, written as in `createdBy`. */
  tokens(query: TokenQuery): Page<Token>;
  /** When the last requests of a person were made, newest first, at most `limit`; costs no look at the requests. */
  requestTimes(person: PersonId, limit: number): readonly Instant[];
  /** The same for the tokens that an actor made. */
  tokenTimes(maker: string, limit: number): readonly Instant[];
  /** Oldest first, from sequence number `from` on, at most `limit`. */
  entries(from: number, limit: number): readonly AuditEntry[];

  /** A draft, expired or not. */
  draft(id: DraftId): Draft | undefined;
  /** By their first refusal, newest first, expired ones included. `subject` narrows to those of one. */
  drafts(query: DraftQuery): Page<Draft>;
  /** How many there are, expired ones included. */
  draftCount(): number;
  /** The first to expire, at most `limit`. */
  draftsEndingFirst(limit: number): readonly DraftId[];

  /** What was answered under this idempotency key, if anything was. */
  answered(actorKey: string, key: string): Answered | undefined;
}

/** One change: everything recorded in it becomes durable and visible together, or not at all. */
export interface Change extends Snapshot {
  /** The number that the next transition will have; the `revision` of whatever it writes. */
  readonly nextSequence: number;

  /** Writes the state that the transition leads to, and its audit entry. */
  record(actor: Actor, transition: Transition): void;

  /** Keeps an answer for repetitions of the same call. */
  remember(actorKey: string, key: string, answer: Answered): void;

  /**
   * Keeps a draft in the place of the one with its id. Drafts come of no transition and have no entries: the decisions
   * that left them are on record, and nobody's access changes.
   */
  keepDraft(draft: Draft): void;
  /** Also where it is damaged, or not there. */
  removeDraft(id: DraftId): void;
}

export interface Store {
  /**
   * Runs `use` on a fresh snapshot, opened by this call: a change whose promise has resolved is seen.
   *
   * `use` is synchronous; its result is returned and its exceptions pass through.
   */
  read<T>(use: (snapshot: Snapshot) => T): T;

  /**
   * Runs `use` in a transaction of its own, after all earlier ones; it sees their results. Resolves with what `use`
   * returned once the change is on disk, and nothing of it is visible before. What `use` throws aborts the change
   * and rejects the promise.
   *
   * `at` raises the persisted high-water mark of the clock.
   *
   * @throws {AccessError} `storage_full` when there is no room (nothing has changed), `storage_failed` when the outcome
   * is unknown: then the store has stopped for good and every later call fails in the same way
   */
  change<T>(at: Instant, use: (change: Change) => T): Promise<T>;

  /**
   * Keeps a batch of decisions, in the order given, and raises the high-water mark to the latest of them. Resolves once
   * they are on disk.
   *
   * @throws {AccessError} as `change`
   */
  recordDecisions(batch: readonly DecisionRecord[]): Promise<void>;

  /** Newest first. */
  decisions(query: DecisionQuery): Page<DecisionRecord>;
  decision(id: DecisionId): DecisionRecord | undefined;

  /**
   * Drops decisions older than `before`, in whole hours: one is kept until its whole hour is too old. There may be very
   * many, which takes many commits; once `signal` is aborted it makes no further one.
   */
  dropDecisions(before: Instant, signal?: AbortSignal): Promise<void>;

  /** The latest time this store has been written with; 0 when it is new. */
  highWaterMark(): Instant;

  /** Drops remembered answers older than `before`; `signal` as above. */
  forgetAnswers(before: Instant, signal?: AbortSignal): Promise<void>;

  /** Drops drafts that have expired at `now`; `signal` as above. */
  dropDrafts(now: Instant, signal?: AbortSignal): Promise<void>;

  /** Refuses everything from now on, and resolves when all that was taken is on disk. */
  close(): Promise<void>;
}

/** Later than `after`, and not later than `until`. */
export interface Span {
  readonly after: Instant;
  readonly until: Instant;
}

export interface Ending<Id> {
  readonly id: Id;
  readonly at: Instant;
}

/** What a repeated call gets: the same result for the same body, an error for another. */
export interface Answered {
  readonly bodyDigest: string;
  readonly result: Canonical;
  readonly at: Instant;
}

/** Where a page ended; opaque to callers. */
export type Cursor = Brand<string, 'Cursor'>;

/** `next` is null on the last page. A page may be short, even empty, and still have a next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: Cursor | null;
}

interface Paging<T> {
  /** 1 to 500. */
  readonly limit: number;
  readonly after?: Cursor | undefined;
  /** What else must be true; whatever it refuses still costs a look. */
  readonly keep?: ((item: T) => boolean) | undefined;
}

export interface RequestQuery extends Paging<AccessRequest> {
  readonly person?: PersonId | undefined;
  readonly pendingAt?: Instant | undefined;
}

export interface GrantQuery extends Paging<Grant> {
  readonly person?: PersonId | undefined;
  readonly unexpiredAt?: Instant | undefined;
}

export interface TokenQuery extends Paging<Token> {
  readonly maker?: string | undefined;
}

export interface DraftQuery extends Paging<Draft> {
  readonly subject?: Subject | undefined;
  /** Hears of what is damaged and therefore left out: a draft gives nobody anything, and the others are still wanted. */
  readonly damaged: (cause: DamagedError) => void;
}

export interface DecisionQuery extends Paging<DecisionRecord> {
  readonly since?: Instant | undefined;
}
