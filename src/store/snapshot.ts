import type { AuditEntry } from '../domain/audit-entry.js';
import type { Draft } from '../domain/draft.js';
import type { Grant } from '../domain/grant.js';
import type { DraftId, GrantId, LockId, RequestId, TokenId } from '../domain/ids.js';
import type { Lock } from '../domain/lock.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { AccessRequest } from '../domain/request.js';
import type { Review } from '../domain/review.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { Token } from '../domain/token.js';
import type { GrantIndex, IndexedGrant } from './grant-index.js';
import type { Head } from './head.js';
import * as keys from './keys.js';
import { allPositionsIn, fewPositionsIn, positionsIn, type Listed } from './listing.js';
import type { LockCache } from './lock-cache.js';
import { inOwnMemory } from './own-memory.js';
import { pageOf } from './page.js';
import { misleading, type Records } from './records.js';
import {
  DamagedError,
  type Answered,
  type DraftQuery,
  type Ending,
  type Span,
  type GrantQuery,
  type Page,
  type RequestQuery,
  type Snapshot,
  type TokenQuery,
} from './store.js';
import { DRAFTS, GRANTS, REQUESTS, TOKENS, type Table } from './tables.js';

const kept = (key: keys.Key) => inOwnMemory(key) as keys.Key;

/** The state as the current transaction sees it. */
export class LmdbSnapshot implements Snapshot {
  protected readonly records: Records;
  protected readonly lockCache: LockCache;
  protected head: Head;
  readonly #index: GrantIndex | null;
  #over = false;

  /** `index` is for committed states alone: inside a change the same number stands for several. */
  constructor(records: Records, lockCache: LockCache, index: GrantIndex | null) {
    this.records = records;
    this.lockCache = lockCache;
    this.#index = index;
    this.head = records.head();
  }

  get sequence(): number {
    this.assertCurrent();
    return this.head.sequence;
  }

  locks(): readonly Lock[] {
    this.assertCurrent();
    return this.lockCache.load(this.head.locks).locks;
  }

  grantsFor(subject: Subject, resource: ResourceName, now: Instant): readonly Grant[] {
    this.assertCurrent();
    const grants: Grant[] = [];
    for (const { key, end, id, grantKey } of this.#indexedGrants(subject, resource, now)) {
      const grant = this.records.find(grantKey, id) as unknown as Grant | undefined;
      if (grant?.subject !== subject || grant.resource !== resource || grant.expiresAt !== end) throw misleading(key);
      grants.push(grant);
      if (end <= now) break; // the latest of those that are over; the rest would explain no better
    }
    return grants;
  }

  pendingFor(subject: Subject, resource: ResourceName, now: Instant): readonly AccessRequest[] {
    this.assertCurrent();
    const range = keys.pendingOf(subject, resource);
    const pending: AccessRequest[] = [];
    for (const key of this.records.keysIn(range)) {
      const { end, id } = keys.endAndIdIn(key, range);
      if (end <= now) break;
      const request = this.thing(REQUESTS, id, key);
      if (request.subject !== subject || request.resource !== resource || request.lapsesAt !== end) {
        throw misleading(key);
      }
      if (request.settled !== null) throw misleading(key);
      pending.push(request);
    }
    return pending;
  }

  request(id: RequestId): AccessRequest | undefined {
    return this.one(REQUESTS, id);
  }

  reviewsOf(id: RequestId): readonly Review[] {
    this.assertCurrent();
    return [...this.records.valuesIn(keys.reviewsOf(id))] as unknown as Review[];
  }

  grant(id: GrantId): Grant | undefined {
    return this.one(GRANTS, id);
  }

  /** Looked for in the whole set, which is known to be complete: a lost lock is not simply absent. */
  lock(id: LockId): Lock | undefined {
    return this.locks().find((lock) => lock.id === id);
  }

  token(id: TokenId): Token | undefined {
    return this.one(TOKENS, id);
  }

  tokenByHash(hash: string): Token | undefined {
    this.assertCurrent();
    for (const key of this.records.keysBack(keys.tokensWithHash(hash))) {
      const token = this.thing(TOKENS, keys.lastPart(key).toString(), key);
      if (token.hash !== hash) throw misleading(key);
      return token;
    }
    return undefined;
  }

  tokens({ maker, ...wanted }: TokenQuery): Page<Token> {
    this.assertCurrent();
    return pageOf(positionsIn(this.records, keys.tokensByCreation(maker), wanted.after), wanted, (position) => {
      const token = this.#listedThing(TOKENS, position);
      return maker === undefined || token.createdBy === maker ? token : undefined;
    });
  }

  requestTimes(person: PersonId, limit: number): readonly Instant[] {
    return this.#timesIn(keys.requestsByCreation(person), limit);
  }

  tokenTimes(maker: string, limit: number): readonly Instant[] {
    return this.#timesIn(keys.tokensByCreation(maker), limit);
  }

  requests({ person, pendingAt, ...wanted }: RequestQuery): Page<AccessRequest> {
    this.assertCurrent();
    const listed =
      (pendingAt !== undefined && this.#pendingPositions(pendingAt, person)) ||
      positionsIn(this.records, keys.requestsByCreation(person), wanted.after);
    return pageOf(listed, wanted, (position) => {
      const request = this.#listedThing(REQUESTS, position);
      const isWaiting = pendingAt === undefined || (request.settled === null && pendingAt < request.lapsesAt);
      return isWaiting && (person === undefined || request.person === person) ? request : undefined;
    });
  }

  grants({ person, unexpiredAt, ...wanted }: GrantQuery): Page<Grant> {
    this.assertCurrent();
    const isOfAll = unexpiredAt !== undefined && person === undefined; // of one person there are fewer in all
    const listed =
      (isOfAll && fewPositionsIn(this.records, keys.endingAfter(unexpiredAt))) ||
      positionsIn(this.records, keys.grantsByCreation(person), wanted.after);
    return pageOf(listed, wanted, (position) => {
      const grant = this.#listedThing(GRANTS, position);
      const isUnexpired = unexpiredAt === undefined || unexpiredAt < grant.expiresAt;
      return isUnexpired && (person === undefined || grant.person === person) ? grant : undefined;
    });
  }

  draft(id: DraftId): Draft | undefined {
    return this.one(DRAFTS, id);
  }

  drafts({ subject, damaged, ...wanted }: DraftQuery): Page<Draft> {
    this.assertCurrent();
    return pageOf(positionsIn(this.records, keys.draftsByCreation(subject), wanted.after), wanted, (position) => {
      try {
        const draft = this.#listedThing(DRAFTS, position);
        return subject === undefined || draft.subject === subject ? draft : undefined;
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        damaged(error);
        return undefined;
      }
    });
  }

  draftCount(): number {
    this.assertCurrent();
    return this.records.countIn(keys.all(keys.KIND.draft));
  }

  grantsEnding(span: Span, limit: number): readonly Ending<GrantId>[] {
    return this.#endings<GrantId>(keys.grantsEndingIn(span), limit);
  }

  requestsLapsing(span: Span, limit: number): readonly Ending<RequestId>[] {
    return this.#endings<RequestId>(keys.requestsLapsingIn(span), limit);
  }

  #endings<Id extends string>(range: keys.KeyRange, limit: number): readonly Ending<Id>[] {
    this.assertCurrent();
    const first = this.records.firstKeysIn(range, limit);
    return first.map((key) => ({ id: keys.lastPart(key).toString() as Id, at: keys.timeIn(key) }));
  }

  draftsEndingFirst(limit: number): readonly DraftId[] {
    this.assertCurrent();
    const first = this.records.firstKeysIn(keys.all(keys.KIND.draftByEnd), limit);
    return first.map((key) => keys.lastPart(key).toString() as DraftId);
  }

  entries(from: number, limit: number): readonly AuditEntry[] {
    this.assertCurrent();
    const first = Math.max(1, from);
    const behind = Math.min(this.sequence + 1, first + Math.max(0, limit));
    if (!(first < behind)) return [];
    const range = { start: keys.entryKey(first), end: keys.entryKey(behind) };
    const entries = [...this.records.valuesIn(range)] as unknown as AuditEntry[];
    const missing = entries.findIndex((entry, index) => entry.sequence !== first + index);
    if (missing >= 0 || entries.length !== behind - first) {
      throw new DamagedError(`audit entry ${first + (missing >= 0 ? missing : entries.length)} is missing`);
    }
    return entries;
  }

  answered(actorKey: string, key: string): Answered | undefined {
    this.assertCurrent();
    const at = keys.answerKey(actorKey, key);
    return this.records.find(at, at.toString('latin1')) as unknown as Answered | undefined;
  }

  /** From now on every method throws: the next snapshot reads in the same transaction slot. */
  end(): void {
    this.#over = true;
  }

  protected assertCurrent(): void {
    if (this.#over) throw new Error('this snapshot is over: use it only within the callback that got it');
  }

  protected one<T>(table: Table<T>, id: string): T | undefined {
    this.assertCurrent();
    return this.records.find(table.keyOf(id), id) as T | undefined;
  }

  /** Null when there are too many. Never of one person: how many of those wait is counted, and nobody else may change that. */
  #pendingPositions(now: Instant, person: PersonId | undefined): readonly Listed[] | null {
    const range = keys.lapsingAfter(now, person);
    return person === undefined ? fewPositionsIn(this.records, range) : allPositionsIn(this.records, range);
  }

  /** At least those that count now. */
  #indexedGrants(subject: Subject, resource: ResourceName, now: Instant): readonly IndexedGrant[] {
    const { sequence } = this.head;
    const known = this.#index?.find(subject, resource, sequence, now);
    if (known !== undefined) return known;
    const range = keys.grantsOf(subject, resource);
    const entries: IndexedGrant[] = [];
    for (const key of this.records.keysIn(range)) {
      const { end, id } = keys.endAndIdIn(key, range);
      const grantKey = keys.grantKey(id as GrantId);
      entries.push({ key: kept(key), end, id: id as GrantId, grantKey: kept(grantKey) });
      if (end <= now) break;
    }
    this.#index?.keep(subject, resource, { sequence, at: now, entries });
    return entries;
  }

  /** Times of creation alone, newest first, as the index entries tell them. */
  #timesIn(range: keys.KeyRange, limit: number): readonly Instant[] {
    this.assertCurrent();
    const times: Instant[] = [];
    for (const { at } of positionsIn(this.records, range, undefined)) {
      if (times.length >= limit) break;
      times.push(at);
    }
    return times;
  }

  #listedThing<T extends { readonly createdAt: Instant }>(table: Table<T>, { at, id, key }: Listed): T {
    const thing = this.records.glance(table.keyOf(id), id) as T | undefined;
    if (thing === undefined || thing.createdAt !== at) throw misleading(key);
    return thing;
  }

  /** The thing that an index entry names. */
  protected thing<T>(table: Table<T>, id: string, index: keys.Key): T {
    const thing = this.one(table, id);
    if (thing === undefined) throw misleading(index);
    return thing;
  }
}
