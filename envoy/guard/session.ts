import { Timed } from './ends';
import { Grant } from './grant';
import { ADDRESS_ROOM, ID_ROOM } from './limits';

export const HTTP: u8 = 1;
export const UPGRADE: u8 = 2;
export const GATE: u8 = 3;
export const TCP: u8 = 4;

// Why a session is over: numbers of guard.proto.
export const PEER: u8 = 1;
export const CUT: u8 = 2;
export const EXPIRED: u8 = 3;
export const CONTACT_LOST: u8 = 4;
export const NO_END: u8 = 5;
export const STALE: u8 = 6;
export const IDLE: u8 = 7;
export const OVERLOADED: u8 = 8;

/** A stream or connection that is open. Its texts lie behind the fields. */
@unmanaged
export class Session extends Timed {
  /** Envoy's number of the stream or connection, which is the session's number too. */
  id: u32;
  protocol: u8;
  /** The service has been told of it, on this stream or an earlier one. */
  told: bool;
  /** Envoy has been asked to end it, and will. */
  cut: bool;
  /** Why the guard wants it to end; 0: it does not. */
  reason: u8;
  /** It has ended. */
  over: bool;
  decisionLength: u8;
  downstreamLength: u8;
  upstreamLength: u8;
  /** Null only while a TCP connection has not been judged yet. */
  grant: Grant | null;
  nextOfGrant: Session | null;
  previousOfGrant: Session | null;
  /** Neighbours in one of the lists. */
  next: Session | null;
  previous: Session | null;
  list: usize;
  /** The next one that is over, too, and is still to be forgotten. */
  nextOver: Session | null;
  /** Number of the last change that is already in its end and grant: that of its decision at first. */
  asOf: u64;
  /** By the service's clock, milliseconds since the epoch. */
  wallEnd: i64;
  /** By monotonic time. */
  started: i64;
  /** By the clock of Envoy's host, for people. 0: nobody was told yet. */
  wallStarted: i64;
  /** Bytes as the service was last told. */
  received: u64;
  sent: u64;
}

const DECISION: usize = offsetof<Session>();
const DOWNSTREAM: usize = DECISION + ID_ROOM;
const UPSTREAM: usize = DOWNSTREAM + ADDRESS_ROOM;

/** Bytes of a session with its texts. */
export const SESSION_SIZE: u32 = <u32>((UPSTREAM + ADDRESS_ROOM + 7) & ~7);

export function decisionOf(session: Session): usize {
  return changetype<usize>(session) + DECISION;
}

export function downstreamOf(session: Session): usize {
  return changetype<usize>(session) + DOWNSTREAM;
}

export function upstreamOf(session: Session): usize {
  return changetype<usize>(session) + UPSTREAM;
}
