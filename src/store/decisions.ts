import { canonicalJson } from '../domain/canonical.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { isId, type DecisionId } from '../domain/ids.js';
import { hours, type Instant } from '../domain/time.js';
import { birthOf } from './birth.js';
import { printKey } from './codec.js';
import * as keys from './keys.js';
import { newestFirst, pageOf, positionOf, type Position } from './page.js';
import type { Records } from './records.js';
import { DamagedError, type DecisionQuery, type Page } from './store.js';

/** Decisions of one slot lie together, and a page sorts one slot at a time. */
const SLOT_MS = 100;

/**
 * Bytes of decisions in one record: what LMDB keeps within a page of 4 KiB. For anything longer it looks for pages that
 * lie side by side, and in a large database that search takes ten times as long as all the rest.
 */
const MAX_PIECE = 1_900;

/** How a piece is laid out: this number, and then a row for each decision, its fields in the order of `FIELDS`. */
const LAYOUT = 2;

/** Without their names a record is a third shorter. */
const FIELDS = Object.keys({
  actions: 0,
  asOf: 0,
  at: 0,
  effect: 0,
  grantId: 0,
  id: 0,
  lockId: 0,
  message: 0,
  person: 0,
  policy: 0,
  reason: 0,
  request: 0,
  requestId: 0,
  resource: 0,
  source: 0,
  subject: 0,
} satisfies Record<keyof DecisionRecord, 0>) as readonly (keyof DecisionRecord)[];

interface Placed extends Position {
  readonly record: DecisionRecord;
}

/** Removed in one transaction: about a mebibyte, which holds up the event loop for a millisecond or two. */
const DROPPED_AT_ONCE = 500;

/**
 * The log of decisions, in the order of their time: written in batches, read newest first or by id, dropped from the old
 * end in pieces. One hour at a time in a database of its own would go as a whole, but LMDB opens a database only in a
 * write transaction, so that reading an old decision would wait for the commit under way; and freeing all its pages is
 * one commit, which for a busy hour may take longer than a commit may.
 */
export class DecisionLog {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** Inside a transaction. `number` is unique to the batch. */
  write(batch: readonly DecisionRecord[], number: number): void {
    for (const [slot, records] of grouped(batch, ({ at }) => slotOf(at))) {
      for (const [part, piece] of pieces(records).entries()) {
        this.#records.putText(keys.decisionsKey(slot, number, part), `[${LAYOUT},${piece.join(',')}]`);
      }
    }
  }

  page({ since = 0 as Instant, ...wanted }: DecisionQuery): Page<DecisionRecord> {
    const before = wanted.after === undefined ? null : positionOf(wanted.after).at;
    return pageOf(this.#newestFirst(before, since), wanted, ({ record }) => record);
  }

  /** An id carries the time of its decision, and so the place where it lies. */
  find(id: DecisionId): DecisionRecord | undefined {
    if (!isId('dec', id)) return undefined;
    for (const { key, record } of this.#records.foundIn(keys.decisionsIn(slotOf(birthOf(id))))) {
      if (!record.includes(id)) continue; // far cheaper than decoding
      const found = this.#decoded(key, record).find((one) => one.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Inside a transaction: drops some of the hours that lie wholly before `before`. Whether there may be more. */
  dropSome(before: Instant): boolean {
    const hour = Math.floor(before / hours(1)) * hours(1);
    const old = { start: keys.all(keys.KIND.decisions).start, end: keys.decisionsIn(slotOf(hour as Instant)).start };
    const some = this.#records.firstKeysIn(old, DROPPED_AT_ONCE);
    for (const key of some) this.#records.remove(key);
    return some.length === DROPPED_AT_ONCE;
  }

  *#newestFirst(before: Instant | null, since: Instant): Generator<Placed> {
    for (const slot of this.#slots(before)) {
      if (slot < slotOf(since)) return;
      for (const placed of this.#placedIn(slot)) if (placed.at >= since) yield placed;
    }
  }

  /** Slots that hold decisions, the last one first; not those that lie wholly after `before`. */
  *#slots(before: Instant | null): Generator<number> {
    const everything = keys.all(keys.KIND.decisions);
    let from = before === null ? everything.end : keys.decisionsIn(slotOf(before)).end;
    for (;;) {
      const last = this.#records.lastKeyIn(everything, from);
      if (last === undefined) return;
      const slot = keys.numberAt(keys.partsOf(last)[0]!, 0);
      yield slot;
      from = keys.decisionsIn(slot).start;
    }
  }

  #placedIn(slot: number): readonly Placed[] {
    return [...this.#records.foundIn(keys.decisionsIn(slot))]
      .flatMap(({ key, record }) => this.#decoded(key, record))
      .map((record) => ({ at: record.at, id: record.id, record }))
      .sort(newestFirst);
  }

  #decoded(key: keys.Key, record: Buffer): readonly DecisionRecord[] {
    const [layout, ...rows] = this.#records.codec.decode(key, record) as unknown as [number, ...Row[]];
    if (layout !== LAYOUT)
      throw new DamagedError(
        `decisions ${printKey(key)} were written by another release; this one reads layout ${LAYOUT}`,
      );
    return rows.map(recordOf);
  }
}

type Row = readonly DecisionRecord[keyof DecisionRecord][];

function recordOf(row: Row): DecisionRecord {
  return Object.fromEntries(FIELDS.map((field, place) => [field, row[place]])) as unknown as DecisionRecord;
}

/** The rows in canonical spelling, as many together as fit; at least one. */
function pieces(records: readonly DecisionRecord[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let room = 0;
  for (const record of records) {
    const text = canonicalJson(FIELDS.map((field) => record[field]));
    const size = Buffer.byteLength(text) + 1;
    if (size > room) {
      all.push([]);
      room = MAX_PIECE;
    }
    all.at(-1)!.push(text);
    room -= size;
  }
  return all;
}

const slotOf = (at: Instant): number => Math.floor(at / SLOT_MS);

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
