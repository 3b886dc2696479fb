import type { Draft } from '../domain/draft.js';
import type { DraftId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import * as keys from './keys.js';
import type { Key } from './keys.js';
import type { Records } from './records.js';
import { DamagedError } from './store.js';
import { DRAFTS } from './tables.js';

// Drafts are the one kind of thing that damage does not stop: nobody's access depends on one, so a damaged one is in the
// way of nothing and goes when its place or its time has come. Everything here runs inside a transaction.

/** Removed in one transaction; four records each. */
const DROPPED_AT_ONCE = 200;

/** Removes a draft with all that leads to it, whatever state it is in. */
export function removeDraft(records: Records, id: DraftId): void {
  const draft = soundDraft(records, id);
  const index = draft === undefined ? entriesThatLeadTo(records, id) : DRAFTS.indexKeysOf(draft);
  for (const key of index) records.remove(key);
  records.remove(DRAFTS.keyOf(id));
}

/** Before a draft is written: one that is damaged cannot say which entries lead to it. */
export function clearTheWay(records: Records, id: DraftId): void {
  if (records.has(DRAFTS.keyOf(id)) && soundDraft(records, id) === undefined) removeDraft(records, id);
}

/** Drops some of those that have expired. Whether there may be more. */
export function dropSomeDrafts(records: Records, now: Instant): boolean {
  const some = records.firstKeysIn(keys.draftsEndingBy(now), DROPPED_AT_ONCE);
  for (const key of some) dropAt(records, key);
  return some.length === DROPPED_AT_ONCE;
}

/** The draft may have been refused again since, by a write that did not know of this entry. */
function dropAt(records: Records, key: Key): void {
  const id = keys.lastPart(key).toString() as DraftId;
  const draft = soundDraft(records, id);
  if (draft === undefined || keys.draftByEndKey(draft.expiresAt, id).equals(key)) removeDraft(records, id);
  records.remove(key);
}

/** Undefined where it is damaged, or not there. */
function soundDraft(records: Records, id: DraftId): Draft | undefined {
  try {
    return records.find(DRAFTS.keyOf(id), id) as unknown as Draft | undefined;
  } catch (error) {
    if (error instanceof DamagedError) return undefined;
    throw error;
  }
}

/** Looks at every index entry of drafts: a few ten thousand at most, and only where one is damaged or lost. */
function entriesThatLeadTo(records: Records, id: DraftId): readonly Key[] {
  return DRAFTS.indexes.flatMap((kind) =>
    [...records.keysIn(keys.all(kind))].filter((key) => keys.lastPart(key).toString() === id),
  );
}
