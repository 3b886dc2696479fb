import { malformed, refusedFor } from './counts';
import { gotAt, gotLength, monotonicMs, numberProperty, property, spokenOf, speakOf, wallMs } from './host';
import { grantId } from './grant';
import { Writer } from './protobuf-writer';
import { ADDRESS_ROOM } from './limits';
import {
  CONTACT_LOST,
  decisionOf,
  downstreamOf,
  EXPIRED,
  GATE,
  NO_END,
  OVERLOADED,
  PEER,
  Session,
  STALE,
  upstreamOf,
} from './session';
import { sessionCount, settled, fresh } from './sessions';
import { send, stream } from './stream';
import { path, Text } from './text';

// Kinds of messages: the fields of FromGuard.
const HELLO = 1;
const OPENED = 2;
const CLOSED = 3;
const APPLIED = 4;
const HEARTBEAT = 5;

const PROTOCOL_VERSION = 1;

/** About 250 KB: far below what gRPC takes in one message. */
const SESSIONS_IN_HELLO: u32 = 1_000;

/** Reading costs a call of Envoy or two each, so all have their turn, but not all at once. */
const SESSIONS_IN_HEARTBEAT: u32 = 200;

const SOURCE = path('source', 'address');
const UPSTREAM = path('upstream', 'address');
const RECEIVED = path('request', 'total_size');
const SENT = path('response', 'total_size');

const out = new Writer();

/** Who speaks, as the hello says. */
@final
export class Speaker {
  id: Text = new Text('');
  node: Text = new Text('');
  cluster: Text = new Text('');
  version: Text = new Text('');
}

/** Tells the service all live sessions. */
export function tellHello(speaker: Speaker, attempt: u32): void {
  const now = monotonicMs();
  let inner = beginHello(speaker, attempt);
  let count: u32 = 0;
  for (let list = fresh; ; list = settled) {
    let session = list.first;
    while (session) {
      if (count == SESSIONS_IN_HELLO) {
        out.number(9, 1);
        sendEnded(inner);
        inner = beginHello(speaker, attempt);
        count = 0;
      }
      writeSession(8, session, now);
      session.told = true;
      session = session.next;
      count++;
    }
    if (list == settled) break;
  }
  sendEnded(inner);
}

function beginHello(speaker: Speaker, attempt: u32): u32 {
  const inner = begin(HELLO);
  out.number(1, PROTOCOL_VERSION);
  writeText(2, speaker.id);
  out.number(3, attempt);
  writeText(4, speaker.node);
  writeText(5, speaker.cluster);
  writeText(6, speaker.version);
  out.number(7, wallMs());
  return inner;
}

/** Tells the service of a session; without a stream the next hello does. */
export function tellOpened(session: Session): void {
  if (stream == 0) return;
  const inner = begin(OPENED);
  writeSession(1, session, monotonicMs());
  sendEnded(inner);
  session.told = true;
}

/** Tells that a session of which the service knows is over. */
export function tellClosed(session: Session): void {
  const inner = begin(CLOSED);
  out.number(1, session.id);
  out.number(2, session.reason == 0 ? PEER : session.reason);
  out.number(3, session.received);
  out.number(4, session.sent);
  out.number(5, wallMs());
  sendEnded(inner);
}

export function tellApplied(command: u64): void {
  const inner = begin(APPLIED);
  out.number(1, command);
  sendEnded(inner);
}

export function tellHeartbeat(command: u64): void {
  const inner = begin(HEARTBEAT);
  out.number(1, command);
  out.number(2, sessionCount());
  writeTraffic();
  out.number(4, (<u64>memory.size()) << 16);
  writeRefused();
  out.number(6, malformed);
  sendEnded(inner);
}

/** Whether upstream is known that was not before. */
export function learnUpstream(session: Session): bool {
  if (session.upstreamLength > 0) return false;
  session.upstreamLength = readAddress(session, UPSTREAM, upstreamOf(session));
  return session.upstreamLength > 0;
}

/** Reads how many bytes have gone through so far. True: more than before. */
export function readBytes(session: Session): bool {
  const received = session.received;
  const sent = session.sent;
  if (!speakOf(session.id)) return false;
  session.received = numberProperty(RECEIVED, received);
  session.sent = numberProperty(SENT, sent);
  return session.received != received || session.sent != sent;
}

function writeSession(field: u32, session: Session, now: i64): void {
  const grant = session.grant;
  if (!grant) return;
  // Behind the gate the source is Envoy itself; where the client is was in a header, and has been noted.
  if (session.downstreamLength == 0 && session.protocol != GATE) {
    session.downstreamLength = readAddress(session, SOURCE, downstreamOf(session));
  }
  learnUpstream(session);
  if (session.wallStarted == 0) session.wallStarted = wallMs() - (now - session.started);
  const inner = out.begin(field);
  out.number(1, session.id);
  out.bytes(2, grantId(grant), grant.length);
  out.bytes(3, decisionOf(session), session.decisionLength);
  out.number(4, session.asOf);
  out.number(5, session.protocol);
  out.bytes(6, downstreamOf(session), session.downstreamLength);
  out.bytes(7, upstreamOf(session), session.upstreamLength);
  out.number(8, session.wallStarted);
  out.number(9, max<i64>(0, session.end - now));
  out.number(10, session.received);
  out.number(11, session.sent);
  out.end(inner);
}

function readAddress(session: Session, where: Text, into: usize): u8 {
  const before = spokenOf;
  let length: u32 = 0;
  if (speakOf(session.id) && property(where)) {
    length = min(gotLength, ADDRESS_ROOM);
    memory.copy(into, gotAt, length);
  }
  speakOf(before);
  return <u8>length;
}

function writeTraffic(): void {
  const before = spokenOf;
  const most = min(SESSIONS_IN_HEARTBEAT, settled.count);
  for (let i: u32 = 0; i < most; i++) {
    const session = settled.turn();
    if (!session) break;
    if (!readBytes(session)) continue;
    const inner = out.begin(3);
    out.number(1, session.id);
    out.number(2, session.received);
    out.number(3, session.sent);
    out.end(inner);
  }
  speakOf(before);
}

function writeRefused(): void {
  const inner = out.begin(5);
  out.number(1, refusedFor(NO_END));
  out.number(2, refusedFor(EXPIRED));
  out.number(3, refusedFor(STALE));
  out.number(4, refusedFor(CONTACT_LOST));
  out.number(5, refusedFor(OVERLOADED));
  out.end(inner);
}

function writeText(field: u32, text: Text): void {
  out.bytes(field, text.at, text.length);
}

function begin(kind: u32): u32 {
  out.clear();
  return out.begin(kind);
}

function sendEnded(inner: u32): void {
  out.end(inner);
  send(out);
}
