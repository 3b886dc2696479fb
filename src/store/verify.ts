import { setImmediate } from 'node:timers/promises';
import type { AuditEntry } from '../domain/audit-entry.js';
import type { Canonical } from '../domain/canonical.js';
import { printKey } from './codec.js';
import * as keys from './keys.js';
import type { Key, KeyRange } from './keys.js';
import type { LockCache } from './lock-cache.js';
import { misleading, type Found, type Records } from './records.js';
import { DamagedError } from './store.js';
import { TABLES, type Table } from './tables.js';

/** What a look at every record found. */
export interface Verification {
  readonly records: number;
  /** What is wrong, in words; at most the first hundred. */
  readonly damaged: readonly string[];
}

export interface VerificationNeeds {
  readonly records: Records;
  readonly lockCache: LockCache;
  readonly decisions: Records;
  /** Runs on a fresh snapshot; throws when the store is no longer in use. */
  readonly read: <T>(use: () => T) => T;
}

/** Looked at in one go, in about a millisecond; then the event loop gets its turn. */
const SLICE = 50;
const MAX_TOLD = 100;

/**
 * Looks at every record: its MAC; that each thing has its index entries and each index entry its thing; that no audit
 * entry is missing; that the locks are those that were sealed. Each slice is read from a snapshot of its own, and changes
 * go on meanwhile. `giveWay` is waited for between two slices; what it throws ends the walk.
 */
export async function verifyAll(
  needs: VerificationNeeds,
  giveWay: () => Promise<void> = () => setImmediate(),
): Promise<Verification> {
  const damaged: string[] = [];
  let count = 0;

  async function walk(records: Records, range: KeyRange, check: (found: Found) => void) {
    for (let from: Key | null = range.start; from !== null; await giveWay()) {
      from = needs.read(() => slice(records, { start: from!, end: range.end }, check));
    }
  }

  /** Looks at a slice; returns where the next one begins. */
  function slice(records: Records, range: KeyRange, check: (found: Found) => void): Key | null {
    let looks = 0;
    for (const found of records.foundIn(range)) {
      if (looks++ === SLICE) return found.key;
      count += 1;
      attempt(() => check(found));
    }
    return null;
  }

  function attempt(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      if (damaged.length < MAX_TOLD) damaged.push(error.message);
    }
  }

  needs.read(() => attempt(() => checkHead(needs)));
  await walk(needs.records, EVERYTHING, (found) => checkRecord(needs.records, found));
  await walk(needs.decisions, keys.all(keys.KIND.decisions), ({ key, record }) => {
    needs.decisions.codec.decode(key, record);
  });
  return { records: count, damaged };
}

/** All that lies under keys of ours; the name of the other database lies behind it. */
const EVERYTHING: KeyRange = { start: keys.STAMP_KEY, end: keys.keyOf(keys.KIND.decisions) };

/** What the head says must be there, even if nothing that is there leads to it. */
function checkHead({ records, lockCache }: VerificationNeeds): void {
  const { locks, sequence } = records.head();
  lockCache.loadAfresh(locks);
  if (sequence > 0) checkPresent(records, keys.entryKey(sequence));
}

function checkRecord(records: Records, { key, record }: Found): void {
  const value = records.codec.decode(key, record);
  const kind = key[0]!;
  const table = TABLES.find((one) => one.kind === kind);
  if (table !== undefined) return checkIndexed(records, table, value);
  const leadsTo = TABLES.find((one) => one.indexes.some((index) => index === kind));
  if (leadsTo !== undefined) return checkIndexEntry(records, leadsTo, key);
  if (kind === keys.KIND.entry) return checkEntry(records, value as unknown as AuditEntry);
  if (kind === keys.KIND.answer) return checkPresent(records, keys.answerByTimeKey((value as { at: never }).at, key));
  if (kind === keys.KIND.answerByTime) return checkPresent(records, keys.answerKeyIn(key));
}

function checkIndexed(records: Records, table: Table<unknown>, thing: Canonical): void {
  for (const index of table.indexKeysOf(thing)) checkPresent(records, index);
}

/** That the thing would be indexed just so is not looked at here: whoever follows the entry does that. */
function checkIndexEntry(records: Records, table: Table<unknown>, key: Key): void {
  if (!records.has(table.keyOf(keys.lastPart(key).toString()))) throw misleading(key);
}

/** Entries are numbered without gaps, from 1 to the sequence of the head, and what they made is there. */
function checkEntry(records: Records, { sequence, transition }: AuditEntry): void {
  const { sequence: last } = records.head();
  if (sequence > last) throw new DamagedError(`audit entry ${sequence} lies behind the last change, ${last}`);
  if (sequence > 1) checkPresent(records, keys.entryKey(sequence - 1));
  if ('request' in transition) checkPresent(records, keys.requestKey(transition.request.id));
  if ('grant' in transition) checkPresent(records, keys.grantKey(transition.grant.id));
  if ('token' in transition) checkPresent(records, keys.tokenKey(transition.token.id));
  if ('review' in transition) checkPresent(records, keys.reviewKey(transition.review.requestId, sequence));
}

function checkPresent(records: Records, key: Key): void {
  if (!records.has(key)) throw new DamagedError(`record ${printKey(key)} is missing`);
}
