import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { isId, type DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import { birthOf } from './birth.js';
import { hourOf, type Buckets, type Hour } from './buckets.js';
import * as keys from './keys.js';
import { newestFirst, pageOf, positionOf, type Position } from './page.js';
import type { Records } from './records.js';
import type { DecisionQuery, Page } from './store.js';

/** Decisions of one slot lie together, and a page sorts one slot at a time. 36,000 to the hour, none in two hours. */
const SLOT_MS = 100;

/**
 * Bytes of decisions in one record: what LMDB keeps within a page of 4 KiB. For anything longer it looks for pages that
 * lie side by side, and in a large database that search takes ten times as long as all the rest.
 */
const MAX_PIECE = 1_900;

interface Placed extends Position {
  readonly record: DecisionRecord;
}

/** The log of decisions: written in batches, read newest first or by id, dropped by the hour. */
export class DecisionLog {
  readonly #buckets: Buckets;

  constructor(buckets: Buckets) {
    this.#buckets = buckets;
  }

  /** Inside a transaction that has prepared the hours of the batch. `number` is unique to the batch. */
  write(batch: readonly DecisionRecord[], number: number): void {
    for (const [slot, records] of grouped(batch, ({ at }) => slotOf(at))) {
      const bucket = this.#buckets.prepared(hourOf(records[0]!.at));
      for (const [part, piece] of pieces(records).entries()) {
        bucket.putText(keys.decisionsKey(slot, number, part), `[${piece.join(',')}]`);
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
    const at = birthOf(id);
    const bucket = this.#buckets.reader(hourOf(at));
    if (bucket === undefined) return undefined;
    for (const { key, record } of bucket.foundIn(keys.decisionsIn(slotOf(at)))) {
      if (!record.includes(id)) continue; // far cheaper than decoding
      const found = decoded(bucket, key, record).find((one) => one.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *#newestFirst(before: Instant | null, since: Instant): Generator<Placed> {
    for (const hour of this.#buckets.hours()) {
      if (before !== null && hour > hourOf(before)) continue;
      if (hour < hourOf(since)) return;
      const bucket = this.#buckets.reader(hour);
      if (bucket === undefined) continue; // dropped meanwhile
      for (const slot of slotsIn(bucket, before)) {
        for (const placed of placedIn(bucket, slot)) if (placed.at >= since) yield placed;
      }
    }
  }
}

/** The records in canonical spelling, as many together as fit; at least one. */
function pieces(records: readonly DecisionRecord[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let room = 0;
  for (const record of records) {
    const text = canonicalJson(record as unknown as Canonical);
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

/** Slots that hold decisions, the last one first; not those that lie wholly after `before`. */
function* slotsIn(bucket: Records, before: Instant | null): Generator<number> {
  const everything = keys.all(keys.KIND.decisions);
  let from = before === null ? everything.end : keys.decisionsIn(slotOf(before)).end;
  for (;;) {
    const last = bucket.lastKeyIn(everything, from);
    if (last === undefined) return;
    const slot = keys.numberAt(keys.partsOf(last)[0]!, 0);
    yield slot;
    from = keys.decisionsIn(slot).start;
  }
}

function placedIn(bucket: Records, slot: number): readonly Placed[] {
  const pieces = [...bucket.foundIn(keys.decisionsIn(slot))];
  return pieces
    .flatMap(({ key, record }) => decoded(bucket, key, record))
    .map((record) => ({ at: record.at, id: record.id, record }))
    .sort(newestFirst);
}

function decoded(bucket: Records, key: keys.Key, record: Buffer): readonly DecisionRecord[] {
  return bucket.codec.decode(key, record) as unknown as readonly DecisionRecord[];
}

/** Groups of a size that one transaction can prepare, in their order. */
export function byHours(batch: readonly DecisionRecord[], most: number): readonly (readonly DecisionRecord[])[] {
  const hours = [...grouped(batch, ({ at }): Hour => hourOf(at)).values()];
  const groups: DecisionRecord[][] = [];
  for (let first = 0; first < hours.length; first += most) groups.push(hours.slice(first, first + most).flat());
  return groups;
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
