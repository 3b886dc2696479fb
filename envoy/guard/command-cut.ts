import { cut } from './cutting';
import { bury, findGrant } from './grant';
import { GrantTerm } from './grant-term';
import { Numbers } from './numbers';
import { Reader } from './protobuf-reader';
import { CUT, IDLE } from './session';
import { findSession } from './sessions';

/** However soon a grant would have ended: an answer that is on its way is not on its way for longer. */
const LEAST_TOMBSTONE_MS: i64 = 60_000;

const body = new Reader();
const entry = new Reader();
const numbers = new Numbers();
const term = new GrantTerm();

/** Cut { grants = 1, sessions = 2, reason = 3 }. False: it cannot be understood, and nothing was cut. */
export function cutCommand(at: usize, length: u32, sequence: u64, now: i64): bool {
  let reason = CUT;
  numbers.clear();
  body.open(at, length);
  while (body.next()) {
    if (body.field == 1 && !readEntry()) return false;
    if (body.field == 2 && !numbers.read(body)) return false;
    if (body.field == 3 && body.number() == IDLE) reason = IDLE;
  }
  if (body.failed) return false;
  for (let i: u32 = 0; i < numbers.count; i++) {
    const session = findSession(numbers.get(i));
    if (session) cut(session, reason, now);
  }
  body.open(at, length);
  while (body.next()) if (body.field == 1 && readEntry()) cutGrant(sequence, now);
  return true;
}

/** CutGrant { grant_id = 1, remaining_ms = 2 } */
function readEntry(): bool {
  if (!body.bytes()) return false;
  term.clear();
  entry.open(body.start, body.length);
  while (entry.next()) term.read(entry, 1);
  return !entry.failed && term.namesGrant();
}

function cutGrant(sequence: u64, now: i64): void {
  bury(term.id, term.idLength, sequence, now + max(term.remaining, LEAST_TOMBSTONE_MS));
  const grant = findGrant(term.id, term.idLength);
  let session = grant ? grant.first : null;
  while (session) {
    const next = session.nextOfGrant;
    // One that was let in knowing more than this command is not meant: the command comes late, or once more.
    if (session.asOf <= sequence) cut(session, CUT, now);
    session = next;
  }
}
