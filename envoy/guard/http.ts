import { isOutdated, letIn } from './admission';
import { Answer, HTTP_ANSWER, readAnswer, VALID } from './answer';
import { isLost } from './contact';
import { gotAt, gotLength, property, requestHeader } from './host';
import { refuse } from './refusal';
import { ADDRESS_ROOM } from './limits';
import { CONTACT_LOST, downstreamOf, GATE, HTTP, NO_END, OVERLOADED, Session, UPGRADE } from './session';
import { addSession, isFull } from './sessions';
import { path, same, Text } from './text';

const METHOD = new Text(':method');
const CONNECT = new Text('CONNECT');
const UPGRADE_HEADER = new Text('upgrade');
const GATE_SOURCE = new Text('x-portcullis-source');
const SOURCE = path('source', 'address');
const INSIDE = new Text('envoy://');

const answer = new Answer();

/** A request's headers have come through ext_authz. True: it may go on; false: it has been answered. */
export function onRequest(id: u32, now: i64): bool {
  const reason = judge(now);
  if (reason != 0) {
    refuse(reason);
    return false;
  }
  const session = addSession(id, HTTP, now);
  session.protocol = protocolOf(session);
  letIn(session, answer, now);
  return true;
}

/** Why a request is turned away; 0: it is not. */
function judge(now: i64): u8 {
  if (isLost(now)) return CONTACT_LOST;
  if (isFull()) return OVERLOADED;
  if (readAnswer(HTTP_ANSWER, answer) != VALID) return NO_END;
  return isOutdated(answer, now);
}

function protocolOf(session: Session): u8 {
  if (requestHeader(METHOD) && same(gotAt, gotLength, CONNECT.at, CONNECT.length)) {
    return comesFromInside() ? gate(session) : UPGRADE;
  }
  return requestHeader(UPGRADE_HEADER) && gotLength > 0 ? UPGRADE : HTTP;
}

/** No client from the network can be at such an address. */
function comesFromInside(): bool {
  return property(SOURCE) && gotLength >= INSIDE.length && same(gotAt, INSIDE.length, INSIDE.at, INSIDE.length);
}

/** The listener in front of the gate has written where the client is. */
function gate(session: Session): u8 {
  if (requestHeader(GATE_SOURCE)) {
    const length = min(gotLength, ADDRESS_ROOM);
    memory.copy(downstreamOf(session), gotAt, length);
    session.downstreamLength = <u8>length;
  }
  return GATE;
}
