import type { Instant } from '../domain/time.js';
import * as keys from './keys.js';
import type { Key, KeyRange } from './keys.js';
import { newestFirst, positionOf, type Position } from './page.js';
import type { Records } from './records.js';
import type { Cursor } from './store.js';

/** A place in a list, and the index entry it was found by. */
export interface Listed extends Position {
  readonly key: Key;
}

/** What is listed by creation in `range`, newest first, from the cursor on. */
export function* positionsIn(records: Records, range: KeyRange, after: Cursor | undefined): Generator<Listed> {
  const from = after === undefined ? undefined : keys.creationKeyIn(range, positionOf(after));
  for (const key of records.keysBack(range, from)) yield listedIn(key);
}

/** Above this a list of what has not ended is looked for in all there is: then that is a good part of it anyway. */
const FEW = 2_000;

/**
 * What lies in a range by time of its end, newest first: a few things among very many that are over, found without
 * looking at those. Null when they are not few.
 */
export function fewPositionsIn(records: Records, byEnd: KeyRange): Listed[] | null {
  // Before they are read: of many, each page would make thousands of keys only to let go of them.
  return records.hasMoreThan(byEnd, FEW) ? null : allPositionsIn(records, byEnd);
}

/** As `fewPositionsIn`, however many there are. */
export function allPositionsIn(records: Records, byEnd: KeyRange): Listed[] {
  return [...records.keysIn(byEnd)].map(listedIn).sort(newestFirst);
}

/** The last two parts of all these keys are time of creation and id. */
function listedIn(key: Key): Listed {
  const parts = keys.partsOf(key);
  return { at: keys.numberAt(parts.at(-2)!, 0) as Instant, id: parts.at(-1)!.toString(), key };
}
