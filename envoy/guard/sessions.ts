import { Answer } from './answer';
import { Ends } from './ends';
import { join, leave } from './grant';
import { decisionOf, Session, SESSION_SIZE } from './session';
import { SessionList } from './session-list';
import { Slab } from './slab';
import { Table } from './table';

const slab = new Slab(SESSION_SIZE);
const byId = new Table();

/** By their end. Those that are already being cut are not among them. */
export const ends = new Ends();

/** TCP connections that ext_authz has not judged yet. */
export const unjudged = new SessionList();
/** Judged, but it is too early to tell the service, or to tell it all. */
export const fresh = new SessionList();
/** The service knows all there is to tell. */
export const settled = new SessionList();

/** More are refused. */
export let maxSessions: u32 = 100_000;

/** So many the memory of a VM can hold. */
const MOST_SESSIONS: u32 = 1_000_000;

export function allowSessions(most: u32): void {
  maxSessions = min(most, MOST_SESSIONS);
}

/** Those that have been let in. */
export function sessionCount(): u32 {
  return byId.count - unjudged.count;
}

/** Connections that wait for their answer take no place away: anybody can open them. Their memory has its own bound. */
export function isFull(): bool {
  return sessionCount() >= maxSessions || byId.count >= MOST_SESSIONS;
}

export function findSession(id: u32): Session | null {
  const slot = byId.first(hashOfId(id));
  return slot < 0 ? null : changetype<Session>(byId.record(slot));
}

/** A session that has begun and has no grant yet. */
export function addSession(id: u32, protocol: u8, started: i64): Session {
  const session = changetype<Session>(slab.take());
  session.id = id;
  session.protocol = protocol;
  session.started = started;
  session.place = -1;
  byId.add(hashOfId(id), changetype<usize>(session));
  return session;
}

/** Gives a session what ext_authz answered for it. From here on it has an end. */
export function admit(session: Session, answer: Answer, end: i64): void {
  session.decisionLength = <u8>answer.decisionLength;
  memory.copy(decisionOf(session), answer.decision, answer.decisionLength);
  session.asOf = answer.asOf;
  session.wallEnd = answer.wallEnd;
  session.end = end;
  join(session, answer.grant, answer.grantLength);
  ends.add(session);
}

/** Forgets a session that is over. */
export function removeSession(session: Session): void {
  ends.remove(session);
  leave(session);
  unjudged.remove(session);
  fresh.remove(session);
  settled.remove(session);
  byId.remove(byId.first(hashOfId(session.id)));
  slab.give(changetype<usize>(session));
}

/** Multiplying by an odd number loses nothing: two ids never have the same hash. */
function hashOfId(id: u32): u32 {
  return id * 2_654_435_761;
}
