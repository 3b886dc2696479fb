import { isOutdated, letIn } from './admission';
import { Answer, DENIED, MISSING, readAnswer, TCP_ANSWER, VALID } from './answer';
import { isLost } from './contact';
import { countRefused } from './counts';
import { cut } from './cutting';
import { closeConnection, gotLength, property, speakOf, spokenOf } from './host';
import { CONTACT_LOST, NO_END, OVERLOADED, Session, TCP } from './session';
import { addSession, isFull, unjudged } from './sessions';
import { path } from './text';

const UPSTREAM = path('upstream', 'address');

/** How many connections are looked at in a tick. All that wait for their answer are, unless there are very many. */
const AT_ONCE: u32 = 200;

const answer = new Answer();

/** A connection has been accepted. Who it is and what it may is not known before its first bytes. */
export function onConnection(id: u32, now: i64): void {
  const reason = isLost(now) ? CONTACT_LOST : isFull() ? OVERLOADED : 0;
  if (reason != 0) {
    countRefused(reason);
    closeConnection();
    return;
  }
  unjudged.add(addSession(id, TCP, now));
}

/** Looks whether ext_authz has answered for those that are waiting. */
export function judgeSome(now: i64): void {
  judge(min(unjudged.count, AT_ONCE), now);
}

/** The same for all: before a cut is carried out, which must not miss the one that was let in just now. */
export function judgeAll(now: i64): void {
  judge(unjudged.count, now);
}

function judge(count: u32, now: i64): void {
  const before = spokenOf;
  for (let i: u32 = 0; i < count; i++) {
    const session = unjudged.turn();
    if (session && !session.over && !session.cut && speakOf(session.id)) judgeOne(session, now);
  }
  speakOf(before);
}

function judgeOne(session: Session, now: i64): void {
  const found = readAnswer(TCP_ANSWER, answer);
  if (found == VALID) return judged(session, now);
  // ext_authz has not answered yet, or it denies and is about to close. But when the upstream is connected, somebody has let
  // bytes through: it does not stand in front of this filter.
  if ((found == MISSING || found == DENIED) && !isConnected()) return;
  turnAway(session, NO_END, now);
}

function judged(session: Session, now: i64): void {
  const reason = isFull() ? OVERLOADED : isOutdated(answer, now);
  if (reason != 0) return turnAway(session, reason, now);
  unjudged.remove(session);
  letIn(session, answer, now);
}

function turnAway(session: Session, reason: u8, now: i64): void {
  countRefused(reason);
  cut(session, reason, now);
}

function isConnected(): bool {
  return property(UPSTREAM) && gotLength > 0;
}
