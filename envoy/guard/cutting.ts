import { closeConnection, resetStream, spokenOf, speakOf } from './host';
import { Session, TCP } from './session';
import { SessionList } from './session-list';
import { ends, fresh, removeSession, settled, unjudged } from './sessions';
import { tellClosed, tellOpened } from './tell';

/** Ends a session now. When Envoy does not do it, it is tried again at the next tick. */
export function cut(session: Session, reason: u8, now: i64): void {
  if (session.cut || session.over) return;
  if (session.reason == 0) session.reason = reason;
  // What the guard ends, the service hears of, however short it was.
  if (!session.told && session.grant) tellOpened(session);
  const before = spokenOf;
  if (!speakOf(session.id)) return forget(session);
  const done = session.protocol == TCP ? closeConnection() : resetStream();
  speakOf(before);
  if (done) {
    session.cut = true;
    ends.remove(session);
  } else if (!session.over) tryAgain(session, now + 1);
}

/** Cuts everything that is open. */
export function cutAll(reason: u8, now: i64): void {
  cutList(unjudged, reason, now);
  cutList(fresh, reason, now);
  cutList(settled, reason, now);
}

/** Cuts what is over by now. */
export function cutDue(reason: u8, now: i64): void {
  for (let due = ends.first(); due && due.end <= now; due = ends.first()) cut(changetype<Session>(due), reason, now);
}

function cutList(list: SessionList, reason: u8, now: i64): void {
  let session = list.first;
  while (session) {
    const next = session.next;
    cut(session, reason, now);
    session = next;
  }
}

function tryAgain(session: Session, end: i64): void {
  if (session.place >= 0) return ends.change(session, end);
  session.end = end;
  ends.add(session);
}

// Sessions that ended while something was going on, which may hold on to them: Envoy may close a connection, and say so, while
// it is being asked to.
let overFirst: Session | null = null;

/** A session has ended. It is forgotten by `forgetOver`. */
export function markOver(session: Session): void {
  if (session.over) return;
  session.over = true;
  ends.remove(session);
  session.nextOver = overFirst;
  overFirst = session;
}

/** Forgets the sessions that are over, and tells the service. Only when nothing else is going on. */
export function forgetOver(): void {
  for (let session = overFirst; session; session = overFirst) {
    overFirst = session.nextOver;
    forget(session);
  }
}

function forget(session: Session): void {
  if (session.told) tellClosed(session);
  removeSession(session);
}
