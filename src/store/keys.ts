import { hash } from 'node:crypto';
import type { Brand } from '../domain/brand.js';
import type { DraftId, GrantId, LockId, RequestId, TokenId } from '../domain/ids.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { Span } from './store.js';

/** Raw store key. LMDB compares keys byte by byte; every layout below relies on that. */
export type Key = Brand<Buffer, 'Key'>;

/** Keys from `start` on and before `end`. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
}

/** First byte of every key: what kind of record lies under it. Named databases have names from 0x64 (`d`) on. */
export const KIND = {
  stamp: 0x01,
  head: 0x02,
  selfTest: 0x03,
  request: 0x10,
  requestByCreation: 0x11,
  requestByPerson: 0x12,
  pendingBySubject: 0x13,
  pendingByLapse: 0x14,
  pendingByPerson: 0x15,
  review: 0x18,
  grant: 0x20,
  grantBySubject: 0x21,
  grantByCreation: 0x22,
  grantByPerson: 0x23,
  grantByEnd: 0x24,
  draft: 0x28,
  draftByCreation: 0x29,
  draftBySubject: 0x2a,
  draftByEnd: 0x2b,
  lock: 0x30,
  token: 0x38,
  tokenByHash: 0x39,
  tokenByCreation: 0x3a,
  tokenByMaker: 0x3b,
  entry: 0x40,
  answer: 0x48,
  answerByTime: 0x49,
  decisions: 0x50,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** How the options of the environment were when it was made. */
export const STAMP_KEY = keyOf(KIND.stamp);
export const HEAD_KEY = keyOf(KIND.head);
export const SELF_TEST_KEY = keyOf(KIND.selfTest);

export const requestKey = (id: RequestId): Key => keyOf(KIND.request, text(id));
export const grantKey = (id: GrantId): Key => keyOf(KIND.grant, text(id));
export const lockKey = (id: LockId): Key => keyOf(KIND.lock, text(id));
export const tokenKey = (id: TokenId): Key => keyOf(KIND.token, text(id));
export const entryKey = (sequence: number): Key => keyOf(KIND.entry, ascending(sequence));

/** Reviews lie in the order in which they were given: `sequence` is the number of their audit entry. */
export const reviewKey = (request: RequestId, sequence: number): Key =>
  keyOf(KIND.review, text(request), ascending(sequence));
export const reviewsOf = (request: RequestId): KeyRange => within(keyOf(KIND.review, text(request)));

/**
 * Index entry that finds the grants of one subject on one resource, the one with the latest natural end first, so that
 * a check reads the unexpired ones and stops.
 *
 *     offset  0     1    2             34   35         35+n  36+n          44+n  45+n
 *             +-----+----+-------------+----+----------+-----+-------------+-----+-----------+
 *             | 21  | 20 | SHA-256     | n  | resource | 08  | end,        | 1d  | grant id  |
 *             |     |    | of subject  |    |          |     | descending  |     |           |
 *             +-----+----+-------------+----+----------+-----+-------------+-----+-----------+
 *     bytes   1     1    32            1    n <= 63    1     8             1     29
 *
 * Longest: 137 bytes; LMDB takes 1978. Every other index looks the same: kind, length-prefixed parts, and last the id.
 */
export const grantBySubjectKey = (subject: Subject, resource: ResourceName, end: Instant, id: GrantId): Key =>
  keyOf(KIND.grantBySubject, hashOf(subject), text(resource), descending(end), text(id));
export const grantsOf = (subject: Subject, resource: ResourceName): KeyRange =>
  within(keyOf(KIND.grantBySubject, hashOf(subject), text(resource)));

/** Undecided requests of one subject for one resource, the one that lapses last first. */
export const pendingBySubjectKey = (subject: Subject, resource: ResourceName, end: Instant, id: RequestId): Key =>
  keyOf(KIND.pendingBySubject, hashOf(subject), text(resource), descending(end), text(id));
export const pendingOf = (subject: Subject, resource: ResourceName): KeyRange =>
  within(keyOf(KIND.pendingBySubject, hashOf(subject), text(resource)));

/** Reads the last two parts of a key as `grantBySubjectKey` and `pendingBySubjectKey` write them: natural end and id. */
export function endAndIdIn(key: Key, { start }: KeyRange): { readonly end: Instant; readonly id: string } {
  const end = (Number.MAX_SAFE_INTEGER - numberAt(key, start.length + 1)) as Instant;
  return { end, id: key.toString('latin1', start.length + 10) };
}

export const requestByCreationKey = (createdAt: Instant, id: RequestId): Key =>
  keyOf(KIND.requestByCreation, ascending(createdAt), text(id));
export const requestByPersonKey = (person: PersonId, createdAt: Instant, id: RequestId): Key =>
  keyOf(KIND.requestByPerson, hashOf(person), ascending(createdAt), text(id));
export const grantByCreationKey = (createdAt: Instant, id: GrantId): Key =>
  keyOf(KIND.grantByCreation, ascending(createdAt), text(id));
export const grantByPersonKey = (person: PersonId, createdAt: Instant, id: GrantId): Key =>
  keyOf(KIND.grantByPerson, hashOf(person), ascending(createdAt), text(id));

/** All requests, or those of one person, oldest first. */
export const requestsByCreation = (person?: PersonId): KeyRange =>
  within(person === undefined ? keyOf(KIND.requestByCreation) : keyOf(KIND.requestByPerson, hashOf(person)));
/** All grants, or those of one person, oldest first. */
export const grantsByCreation = (person?: PersonId): KeyRange =>
  within(person === undefined ? keyOf(KIND.grantByCreation) : keyOf(KIND.grantByPerson, hashOf(person)));

export const tokenByCreationKey = (createdAt: Instant, id: TokenId): Key =>
  keyOf(KIND.tokenByCreation, ascending(createdAt), text(id));
export const tokenByMakerKey = (maker: string, createdAt: Instant, id: TokenId): Key =>
  keyOf(KIND.tokenByMaker, hashOf(maker), ascending(createdAt), text(id));
/** All tokens, or those that one actor made, oldest first. */
export const tokensByCreation = (maker?: string): KeyRange =>
  within(maker === undefined ? keyOf(KIND.tokenByCreation) : keyOf(KIND.tokenByMaker, hashOf(maker)));

/** The key in such a range that belongs to this creation time and id. */
export const creationKeyIn = ({ start }: KeyRange, { at, id }: { readonly at: Instant; readonly id: string }): Key =>
  Buffer.concat([start, keyOf(KIND.head, ascending(at), text(id)).subarray(1)]) as Key;

/** Undecided requests by the time at which they lapse; carries what a page is sorted by. */
export const pendingByLapseKey = (lapsesAt: Instant, createdAt: Instant, id: RequestId): Key =>
  keyOf(KIND.pendingByLapse, ascending(lapsesAt), ascending(createdAt), text(id));
/** The same of one person. */
export const pendingByPersonKey = (person: PersonId, lapsesAt: Instant, createdAt: Instant, id: RequestId): Key =>
  keyOf(KIND.pendingByPerson, hashOf(person), ascending(lapsesAt), ascending(createdAt), text(id));
/** Grants by natural end; carries what a page is sorted by. */
export const grantByEndKey = (end: Instant, createdAt: Instant, id: GrantId): Key =>
  keyOf(KIND.grantByEnd, ascending(end), ascending(createdAt), text(id));

/** Requests, or those of one person, that nobody has decided and that lapse after `now`. */
export const lapsingAfter = (now: Instant, person?: PersonId): KeyRange =>
  after(person === undefined ? keyOf(KIND.pendingByLapse) : keyOf(KIND.pendingByPerson, hashOf(person)), now);
/** Grants whose natural end lies after `now`. */
export const endingAfter = (now: Instant): KeyRange => after(keyOf(KIND.grantByEnd), now);

export const grantsEndingIn = (span: Span): KeyRange => spanOf(KIND.grantByEnd, span);
export const requestsLapsingIn = (span: Span): KeyRange => spanOf(KIND.pendingByLapse, span);
/** Reads the time by which a key of such a range is sorted. */
export const timeIn = (key: Key): Instant => numberAt(key, 2) as Instant;

export const tokenByHashKey = (hash: string, id: TokenId): Key => keyOf(KIND.tokenByHash, hashOf(hash), text(id));
export const tokensWithHash = (hash: string): KeyRange => within(keyOf(KIND.tokenByHash, hashOf(hash)));

export const draftKey = (id: DraftId): Key => keyOf(KIND.draft, text(id));
export const draftByCreationKey = (createdAt: Instant, id: DraftId): Key =>
  keyOf(KIND.draftByCreation, ascending(createdAt), text(id));
export const draftBySubjectKey = (subject: Subject, createdAt: Instant, id: DraftId): Key =>
  keyOf(KIND.draftBySubject, hashOf(subject), ascending(createdAt), text(id));
/** Drafts by the instant at which they expire. */
export const draftByEndKey = (expiresAt: Instant, id: DraftId): Key =>
  keyOf(KIND.draftByEnd, ascending(expiresAt), text(id));
/** All drafts, or those of one subject, oldest first. */
export const draftsByCreation = (subject?: Subject): KeyRange =>
  within(subject === undefined ? keyOf(KIND.draftByCreation) : keyOf(KIND.draftBySubject, hashOf(subject)));
/** Drafts that have expired at `now`. */
export const draftsEndingBy = (now: Instant): KeyRange => ({
  start: keyOf(KIND.draftByEnd),
  end: keyOf(KIND.draftByEnd, ascending(now + 1)),
});

/** Actor and idempotency key come from callers, of any length: their hash takes their place. */
export const answerKey = (actorKey: string, key: string): Key => keyOf(KIND.answer, hashOf(actorKey), hashOf(key));
export const answerByTimeKey = (at: Instant, answer: Key): Key =>
  keyOf(KIND.answerByTime, ascending(at), answer.subarray(1));
export const answersBefore = (at: Instant): KeyRange => ({
  start: keyOf(KIND.answerByTime),
  end: keyOf(KIND.answerByTime, ascending(at)),
});
/** The inverse of `answerByTimeKey`. */
export const answerKeyIn = (key: Key): Key => Buffer.concat([Buffer.of(KIND.answer), lastPart(key)]) as Key;

/** Part of a batch of decisions: those that fell in one slot of time. Lies in a database of their own. */
export const decisionsKey = (slot: number, batch: number, part: number): Key =>
  keyOf(KIND.decisions, ascending(slot), ascending(batch), ascending(part));
export const decisionsIn = (slot: number): KeyRange => within(keyOf(KIND.decisions, ascending(slot)));

export const all = (kind: Kind): KeyRange => within(keyOf(kind));

/**
 * Every key is a tuple of length-prefixed parts, so that no two tuples share bytes and no part runs into the next.
 *
 *     +------+----+----------+----+----------+ ...
 *     | kind | n  | n bytes  | m  | m bytes  |
 *     +------+----+----------+----+----------+ ...
 */
export function keyOf(kind: Kind, ...parts: readonly Buffer[]): Key {
  const key = Buffer.allocUnsafe(parts.reduce((size, part) => size + 1 + part.length, 1));
  let offset = key.writeUInt8(kind);
  for (const part of parts) {
    offset = key.writeUInt8(part.length, offset); // throws for parts above 255 bytes
    offset += part.copy(key, offset);
  }
  return key as Key;
}

/** Takes a key apart; the inverse of `keyOf`. */
export function partsOf(key: Key): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let offset = 1; offset < key.length;) {
    const end = offset + 1 + key[offset]!;
    parts.push(key.subarray(offset + 1, end));
    offset = end;
  }
  return parts;
}

export function lastPart(key: Key): Buffer {
  return partsOf(key).at(-1)!;
}

/** Big-endian makes byte order equal the order of numbers; 0 to 2^53 - 1. */
function ascending(n: number): Buffer {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`expected a whole number from 0 on, got ${n}`);
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(Math.floor(n / 2 ** 32), 0);
  bytes.writeUInt32BE(n % 2 ** 32, 4);
  return bytes;
}

export function numberAt(key: Buffer, offset: number): number {
  return key.readUInt32BE(offset) * 2 ** 32 + key.readUInt32BE(offset + 4);
}

function descending(n: number): Buffer {
  return ascending(Number.MAX_SAFE_INTEGER - n);
}

function text(part: string): Buffer {
  return Buffer.from(part, 'utf8');
}

let hashed = { part: '', hash: hash('sha256', '', 'buffer') };

/** For parts of any length, some of which clients choose. A check asks for the same subject twice, so one is kept. */
function hashOf(part: string): Buffer {
  if (part !== hashed.part) hashed = { part, hash: hash('sha256', part, 'buffer') };
  return hashed.hash;
}

/** Keys that begin with `prefix` and go on with a later time. */
function after(prefix: Key, now: Instant): KeyRange {
  const start = Buffer.concat([prefix, keyOf(KIND.head, ascending(now + 1)).subarray(1)]) as Key;
  return { start, end: within(prefix).end };
}

/** Keys whose first part is a time in the span. */
function spanOf(kind: Kind, { after: from, until }: Span): KeyRange {
  return { start: keyOf(kind, ascending(from + 1)), end: keyOf(kind, ascending(until + 1)) };
}

/** All keys that begin with `prefix`: up to the prefix counted up by one. The carry ends at the kind, which is never 0xff. */
function within(prefix: Key): KeyRange {
  const end = Buffer.from(prefix);
  for (let last = end.length - 1; ; last--) {
    end[last] = (end[last]! + 1) & 0xff;
    if (end[last] !== 0) return { start: prefix, end: end.subarray(0, last + 1) as Key };
  }
}
