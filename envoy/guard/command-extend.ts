import { cut } from './cutting';
import { findGrant, grantId, isStale, join, leave } from './grant';
import { GrantTerm } from './grant-term';
import { Numbers } from './numbers';
import { Reader } from './protobuf-reader';
import { endOf } from './service-clock';
import { CUT, EXPIRED, Session } from './session';
import { ends, findSession } from './sessions';
import { same } from './text';

const body = new Reader();
const numbers = new Numbers();
const term = new GrantTerm();

/** Extend { grant_id = 1, remaining_ms = 2, ends_ms = 3 }. False: it cannot be understood, and nothing has changed. */
export function extendCommand(at: usize, length: u32, sequence: u64, now: i64): bool {
  term.clear();
  body.open(at, length);
  while (body.next()) term.read(body, 1);
  if (body.failed || !term.hasEnd()) return false;
  const grant = findGrant(term.id, term.idLength);
  let session = grant ? grant.first : null;
  while (session) {
    const next = session.nextOfGrant;
    // The command may come late, or once more: then it can only bring an end forward.
    if (isOpen(session, sequence)) setEnd(session, sequence, sequence > session.asOf, now);
    session = next;
  }
  return true;
}

/** Rebind { sessions = 1, grant_id = 2, remaining_ms = 3, ends_ms = 4 }, in the same way. */
export function rebindCommand(at: usize, length: u32, sequence: u64, now: i64): bool {
  term.clear();
  numbers.clear();
  body.open(at, length);
  while (body.next()) {
    if (body.field == 1 && !numbers.read(body)) return false;
    term.read(body, 2);
  }
  if (body.failed || !term.hasEnd()) return false;
  for (let i: u32 = 0; i < numbers.count; i++) {
    const session = findSession(numbers.get(i));
    if (session && isOpen(session, sequence)) rebind(session, sequence, now);
  }
  return true;
}

function rebind(session: Session, sequence: u64, now: i64): void {
  // The grant that was to take over was itself cut in the meantime.
  if (isStale(term.id, term.idLength, sequence, now)) return cut(session, CUT, now);
  const grant = session.grant!;
  const isNew = !same(grantId(grant), grant.length, term.id, term.idLength);
  if (isNew) {
    leave(session);
    join(session, term.id, term.idLength);
  }
  setEnd(session, sequence, isNew || sequence > session.asOf, now);
}

/** Not one that the guard wants to end already, and not one that was let in knowing more. */
function isOpen(session: Session, sequence: u64): bool {
  return session.reason == 0 && !session.over && session.grant != null && sequence >= session.asOf;
}

function setEnd(session: Session, sequence: u64, mayLengthen: bool, now: i64): void {
  const end = endOf(now, term.remaining, term.wallEnd);
  session.asOf = sequence;
  session.wallEnd = mayLengthen ? term.wallEnd : min(term.wallEnd, session.wallEnd);
  ends.change(session, mayLengthen ? end : min(end, session.end));
  if (session.end <= now) cut(session, EXPIRED, now);
}
