import type { Actor } from '../domain/actor.js';
import type { AuditEntry, Transition } from '../domain/audit-entry.js';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { Draft } from '../domain/draft.js';
import type { Grant } from '../domain/grant.js';
import type { DecisionId, DraftId, GrantId, LockId, RequestId, TokenId } from '../domain/ids.js';
import type { Lock } from '../domain/lock.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import { requestStateOf, type AccessRequest } from '../domain/request.js';
import type { Review } from '../domain/review.js';
import type { Subject } from '../domain/subject.js';
import { hours, type Instant } from '../domain/time.js';
import type { Token } from '../domain/token.js';
import { synchronous } from './synchronous.js';
import { newestFirst, pageOf, type Position, type Wanted } from './page.js';
import type {
  Answered,
  Change,
  DecisionQuery,
  DraftQuery,
  Ending,
  Span,
  GrantQuery,
  Page,
  RequestQuery,
  Store,
  TokenQuery,
} from './store.js';

/** A store that forgets. It passes the same contract as the LMDB store; tests and tools use it. */
export function memoryStore(): Store {
  let state = new MemoryState();
  let decisions: DecisionRecord[] = [];
  let queue: Promise<unknown> = Promise.resolve();

  function enqueue<T>(work: () => T): Promise<T> {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    read: (use) => synchronous(use(state)),
    change: (at, use) =>
      enqueue(() => {
        const next = state.copy();
        next.openAt = at;
        const result = synchronous(use(next));
        if (next.failure !== null) throw next.failure;
        next.raiseMark(at);
        next.openAt = null;
        state = next;
        return result;
      }),
    recordDecisions: (batch) =>
      enqueue(() => {
        for (const record of batch) assertCanonical(record);
        decisions = [...decisions, ...batch];
        for (const record of batch) state.raiseMark(record.at);
      }),
    decisions: (query) => pageOfDecisions(decisions, query),
    decision: (id: DecisionId) => decisions.find((record) => record.id === id),
    dropDecisions: (before) =>
      enqueue(() => {
        const hour = Math.floor(before / hours(1)) * hours(1);
        decisions = decisions.filter((record) => record.at >= hour);
      }),
    highWaterMark: () => state.mark,
    forgetAnswers: (before) =>
      enqueue(() => {
        for (const [key, answer] of state.answers) if (answer.at < before) state.answers.delete(key);
      }),
    dropDrafts: (now) =>
      enqueue(() => {
        for (const { id, expiresAt } of state.draftList()) if (expiresAt <= now) state.removeDraft(id);
      }),
    close: async () => {
      await queue;
    },
  };
}

interface Tables {
  readonly requests: Map<RequestId, AccessRequest>;
  readonly reviews: Review[];
  readonly grants: Map<GrantId, Grant>;
  readonly locks: Map<LockId, Lock>;
  readonly tokens: Map<TokenId, Token>;
  readonly drafts: Map<DraftId, Draft>;
  readonly entries: AuditEntry[];
}

class MemoryState implements Change {
  readonly #tables: Tables;
  readonly answers: Map<string, Answered>;
  mark: Instant;
  /** The time of the change that is being made; null outside of one. */
  openAt: Instant | null = null;
  /** What went wrong while something was written: such a change is not kept, even if its callback went on. */
  failure: unknown = null;

  constructor(tables: Tables = emptyTables(), answers = new Map<string, Answered>(), mark = 0 as Instant) {
    this.#tables = tables;
    this.answers = answers;
    this.mark = mark;
  }

  copy(): MemoryState {
    const { requests, reviews, grants, locks, tokens, drafts, entries } = this.#tables;
    const tables = {
      requests: new Map(requests),
      reviews: [...reviews],
      grants: new Map(grants),
      locks: new Map(locks),
      tokens: new Map(tokens),
      drafts: new Map(drafts),
      entries: [...entries],
    };
    return new MemoryState(tables, new Map(this.answers), this.mark);
  }

  raiseMark(at: Instant): void {
    if (at > this.mark) this.mark = at;
  }

  get sequence(): number {
    return this.#tables.entries.length;
  }

  get nextSequence(): number {
    return this.#tables.entries.length + 1;
  }

  locks(): readonly Lock[] {
    return [...this.#tables.locks.values()];
  }

  grantsFor(subject: Subject, resource: ResourceName, now: Instant): readonly Grant[] {
    const all = [...this.#tables.grants.values()]
      .filter((grant) => grant.subject === subject && grant.resource === resource)
      .sort((a, b) => b.expiresAt - a.expiresAt || (a.id < b.id ? -1 : 1));
    const firstExpired = all.findIndex((grant) => grant.expiresAt <= now);
    return firstExpired < 0 ? all : all.slice(0, firstExpired + 1);
  }

  pendingFor(subject: Subject, resource: ResourceName, now: Instant): readonly AccessRequest[] {
    return [...this.#tables.requests.values()]
      .filter((request) => request.subject === subject && request.resource === resource)
      .filter((request) => requestStateOf(request, now) === 'pending')
      .sort((a, b) => b.lapsesAt - a.lapsesAt || (a.id < b.id ? -1 : 1));
  }

  request(id: RequestId): AccessRequest | undefined {
    return this.#tables.requests.get(id);
  }

  reviewsOf(id: RequestId): readonly Review[] {
    return this.#tables.reviews.filter((review) => review.requestId === id);
  }

  grant(id: GrantId): Grant | undefined {
    return this.#tables.grants.get(id);
  }

  lock(id: LockId): Lock | undefined {
    return this.#tables.locks.get(id);
  }

  token(id: TokenId): Token | undefined {
    return this.#tables.tokens.get(id);
  }

  tokenByHash(hash: string): Token | undefined {
    return [...this.#tables.tokens.values()].find((token) => token.hash === hash);
  }

  requests({ person, pendingAt, ...paging }: RequestQuery): Page<AccessRequest> {
    const items = [...this.#tables.requests.values()]
      .filter((request) => person === undefined || request.person === person)
      .filter((request) => pendingAt === undefined || requestStateOf(request, pendingAt) === 'pending');
    return pageOfThings(items, paging);
  }

  grants({ person, unexpiredAt, ...paging }: GrantQuery): Page<Grant> {
    const items = [...this.#tables.grants.values()]
      .filter((grant) => person === undefined || grant.person === person)
      .filter((grant) => unexpiredAt === undefined || grant.expiresAt > unexpiredAt);
    return pageOfThings(items, paging);
  }

  tokens({ maker, ...paging }: TokenQuery): Page<Token> {
    const items = [...this.#tables.tokens.values()].filter((token) => maker === undefined || token.createdBy === maker);
    return pageOfThings(items, paging);
  }

  requestTimes(person: PersonId, limit: number): readonly Instant[] {
    return timesOf([...this.#tables.requests.values()].filter((request) => request.person === person)).slice(0, limit);
  }

  tokenTimes(maker: string, limit: number): readonly Instant[] {
    return timesOf([...this.#tables.tokens.values()].filter((token) => token.createdBy === maker)).slice(0, limit);
  }

  draftList(): readonly Draft[] {
    return [...this.#tables.drafts.values()];
  }

  draft(id: DraftId): Draft | undefined {
    return this.#tables.drafts.get(id);
  }

  /** What is kept in memory is never damaged. */
  drafts({ subject, ...paging }: DraftQuery): Page<Draft> {
    return pageOfThings(
      this.draftList().filter((draft) => subject === undefined || draft.subject === subject),
      paging,
    );
  }

  draftCount(): number {
    return this.#tables.drafts.size;
  }

  grantsEnding(span: Span, limit: number): readonly Ending<GrantId>[] {
    return endingsIn(
      span,
      [...this.#tables.grants.values()].map(({ id, createdAt, expiresAt }) => ({ id, createdAt, at: expiresAt })),
      limit,
    );
  }

  requestsLapsing(span: Span, limit: number): readonly Ending<RequestId>[] {
    const waiting = [...this.#tables.requests.values()].filter(({ settled }) => settled === null);
    return endingsIn(
      span,
      waiting.map(({ id, createdAt, lapsesAt }) => ({ id, createdAt, at: lapsesAt })),
      limit,
    );
  }

  draftsEndingFirst(limit: number): readonly DraftId[] {
    const inOrder = this.draftList().toSorted((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1));
    return inOrder.slice(0, limit).map(({ id }) => id);
  }

  entries(from: number, limit: number): readonly AuditEntry[] {
    return this.#tables.entries.slice(Math.max(0, from - 1), Math.max(0, from - 1) + limit);
  }

  answered(actorKey: string, key: string): Answered | undefined {
    return this.answers.get(JSON.stringify([actorKey, key]));
  }

  remember(actorKey: string, key: string, answer: Answered): void {
    this.#attempt(() => {
      assertCanonical(answer);
      this.answers.set(JSON.stringify([actorKey, key]), answer);
    });
  }

  keepDraft(draft: Draft): void {
    this.#attempt(() => {
      assertCanonical(draft);
      this.#tables.drafts.set(draft.id, draft);
    });
  }

  removeDraft(id: DraftId): void {
    this.#tables.drafts.delete(id);
  }

  record(actor: Actor, transition: Transition): void {
    this.#attempt(() => {
      if (this.openAt === null) throw new Error('a change is over: record() was called outside of it');
      const entry: AuditEntry = { v: 1, sequence: this.nextSequence, at: this.openAt, actor, transition };
      assertCanonical(entry);
      this.#tables.entries.push(entry);
      this.#apply(transition);
    });
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  #apply(transition: Transition): void {
    switch (transition.action) {
      case 'request.created':
      case 'request.approved':
      case 'request.denied':
      case 'request.withdrawn':
        this.#tables.requests.set(transition.request.id, transition.request);
        break;
      case 'review.given':
        this.#tables.reviews.push(transition.review);
        break;
      case 'grant.created':
      case 'grant.ended':
        this.#tables.grants.set(transition.grant.id, transition.grant);
        break;
      case 'lock.created':
        this.#tables.locks.set(transition.lock.id, transition.lock);
        break;
      case 'lock.removed':
        this.#tables.locks.delete(transition.lock.id);
        break;
      case 'token.created':
      case 'token.revoked':
        this.#tables.tokens.set(transition.token.id, transition.token);
        break;
      case 'guard.joined':
      case 'guard.left':
      case 'session.opened':
      case 'session.cut':
      case 'session.closed':
      case 'service.started':
      case 'service.stopped':
      case 'policy.loaded':
        break;
    }
  }
}

function emptyTables(): Tables {
  const [requests, grants, locks] = [new Map(), new Map(), new Map()];
  return { requests, reviews: [], grants, locks, tokens: new Map(), drafts: new Map(), entries: [] };
}

function placed({ createdAt, id }: { readonly createdAt: Instant; readonly id: string }): Position {
  return { at: createdAt, id };
}

/** When things were made, newest first. */
function timesOf(things: readonly { readonly createdAt: Instant }[]): Instant[] {
  return things.map(({ createdAt }) => createdAt).sort((a, b) => b - a);
}

function pageOfThings<T extends { readonly createdAt: Instant; readonly id: string }>(
  items: readonly T[],
  wanted: Wanted<T>,
): Page<T> {
  const listed = items.map((item) => ({ ...placed(item), item })).sort(newestFirst);
  return pageOf(listed, wanted, ({ item }) => item);
}

function pageOfDecisions(
  records: readonly DecisionRecord[],
  { since, ...wanted }: DecisionQuery,
): Page<DecisionRecord> {
  const listed = records
    .filter((record) => since === undefined || record.at >= since)
    .map((record) => ({ at: record.at, id: record.id, record }))
    .sort(newestFirst);
  return pageOf(listed, wanted, ({ record }) => record);
}

/** What this store would keep and another could not write is refused here as well. */
function assertCanonical(value: unknown): void {
  canonicalJson(value as Canonical);
}

function endingsIn<Id>(
  { after, until }: Span,
  all: readonly (Ending<Id> & { readonly createdAt: Instant })[],
  limit: number,
): readonly Ending<Id>[] {
  return all
    .filter(({ at }) => at > after && at <= until)
    .toSorted((a, b) => a.at - b.at || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id, at }) => ({ id, at }));
}
