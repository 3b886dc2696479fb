import { cutCommand } from './command-cut';
import { extendCommand, rebindCommand } from './command-extend';
import * as contact from './contact';
import { countMalformed } from './counts';
import { judgeAll } from './network';
import { Reader } from './protobuf-reader';
import { hearClock } from './service-clock';
import { allowSessions, ends } from './sessions';
import { tickOwnerEvery } from './stream';
import { tellApplied } from './tell';

// Fields of ToGuard: what a message can be.
const WELCOME: u32 = 3;
const CUT: u32 = 4;
const EXTEND: u32 = 5;
const REBIND: u32 = 6;
const FORGET: u32 = 7;
const HEARTBEAT: u32 = 8;

const message = new Reader();
const body = new Reader();

/** Carries out a message of the service. One that cannot be understood as a whole changes nothing. */
export function hear(at: usize, length: u32, now: i64): void {
  let command: u64 = 0;
  let sequence: u64 = 0;
  let kind: u32 = 0;
  message.open(at, length);
  while (message.next()) {
    if (message.field == 1) command = message.number();
    else if (message.field == 2) sequence = message.number();
    // More than one body, or one that this guard does not know: nothing is guessed.
    else if (kind != 0 || !message.bytes()) return countMalformed();
    else {
      kind = message.field;
      at = message.start;
      length = message.length;
    }
  }
  if (message.failed || !carryOut(kind, at, length, sequence, now)) return countMalformed();
  contact.heard(sequence, now);
  if (command == 0) return;
  contact.carriedOut(command);
  tellApplied(command);
}

/** False: it cannot be understood. */
function carryOut(kind: u32, at: usize, length: u32, sequence: u64, now: i64): bool {
  if (kind == WELCOME) return welcome(at, length, now);
  if (kind == CUT) {
    judgeAll(now);
    return cutCommand(at, length, sequence, now);
  }
  if (kind == EXTEND) return extendCommand(at, length, sequence, now);
  if (kind == REBIND) return rebindCommand(at, length, sequence, now);
  if (kind == FORGET) return forget(at, length);
  return kind == HEARTBEAT && heartbeat(at, length, now);
}

const LEAST_TICK_MS: u64 = 10;
const MOST_TICK_MS: u64 = 1_000;

/** Welcome { tick_ms = 1, contact_grace_ms = 2, max_sessions = 3 }; what is 0 is left as it is. */
function welcome(at: usize, length: u32, now: i64): bool {
  let tick: u64 = 0;
  let grace: u64 = 0;
  let most: u64 = 0;
  body.open(at, length);
  while (body.next()) {
    if (body.field == 1) tick = body.number();
    else if (body.field == 2) grace = body.number();
    else if (body.field == 3) most = body.number();
  }
  if (body.failed) return false;
  if (tick != 0) tickOwnerEvery(<u32>min(max(tick, LEAST_TICK_MS), MOST_TICK_MS));
  if (most != 0) allowSessions(<u32>min<u64>(most, u32.MAX_VALUE));
  contact.hearWelcome(<u32>min<u64>(grace, u32.MAX_VALUE), now);
  return true;
}

/** Forget {}: this guard keeps nothing beyond its sessions. */
function forget(at: usize, length: u32): bool {
  body.open(at, length);
  while (body.next()) continue;
  return !body.failed;
}

/** ToGuardHeartbeat { wall_ms = 1 } */
function heartbeat(at: usize, length: u32, now: i64): bool {
  let wall: u64 = 0;
  body.open(at, length);
  while (body.next()) if (body.field == 1) wall = body.number();
  if (body.failed) return false;
  hearClock(<i64>wall, now, ends);
  return true;
}
