import { Backoff } from './backoff';
import { cutAll } from './cutting';
import { logInfo, logWarning } from './host';
import { CONTACT_LOST } from './session';
import { sessionCount } from './sessions';
import * as stream from './stream';
import { Speaker, tellHeartbeat, tellHello } from './tell';

const DEFAULT_GRACE_MS: i64 = 15_000;
const LEAST_GRACE_MS: i64 = 1_000;
const MOST_GRACE_MS: i64 = 600_000;

const HEARTBEAT_MS: i64 = 500;

/** A stream that was not welcomed in this time is given up; the service has longer when it hears of many sessions. */
const WELCOME_MS: i64 = 2_000;
const SESSIONS_HEARD_IN_MS: i64 = 20;

/** After a contact of this length the next attempt is the first again. */
const STEADY_MS: i64 = 2_000;

/** In how long the service must be heard after the clocks have shown that time was lost. */
const DOUBT_MS: i64 = 2_000;

// Wall time that runs away from monotonic time by more than this has been set, or the machine has slept.
const JUMP_MS: i64 = 2_000;

let graceMs: i64 = DEFAULT_GRACE_MS;
// All by monotonic time, in milliseconds.
let heardAt: i64 = 0;
let openedAt: i64 = 0;
let welcomedAt: i64 = 0;
let toldAt: i64 = 0;
let wallAhead: i64 = 0;
// The service must be heard by then, whatever the grace says.
let doubtUntil: i64 = i64.MAX_VALUE;

let begun = false;
let welcomed = false;
let lost = false;
let attempt: u32 = 0;
let lastCommand: u64 = 0;
// The newest change that the service has spoken of.
let newest: u64 = 0;

const backoff = new Backoff();
const speaker = new Speaker();

/** Makes the first attempt. The grace begins here. */
export function begin(identify: (speaker: Speaker) => void, now: i64, wall: i64): void {
  if (!begun) {
    begun = true;
    heardAt = now;
    wallAhead = wall - now;
    identify(speaker);
  }
  if (stream.stream == 0) connect(now);
}

/** Whether the service has not been heard for longer than the grace: then nobody is let in and nobody stays. */
export function isLost(now: i64): bool {
  return now - heardAt > graceMs || now > doubtUntil;
}

/** Whether the service may know something newer about a grant than an answer that knew the changes up to `asOf`. */
export function mayKnowMore(asOf: u64): bool {
  return !welcomed || asOf < newest;
}

/** Keeps the contact, or looks for it. */
export function tick(now: i64, wall: i64): void {
  watchClocks(now, wall);
  if (stream.stream == 0) {
    if (backoff.isOver(now)) connect(now);
  } else if (isSilent(now)) {
    logWarning('portcullis guard: the service is silent, the stream is given up');
    stream.drop();
    closed(now);
  } else if (welcomed && now - toldAt >= HEARTBEAT_MS) {
    toldAt = now;
    tellHeartbeat(lastCommand);
  }
  cutWhenLost(now);
}

/** Whether a stream is the one we have; what others say is late. */
export function isCurrent(id: u32): bool {
  return id != 0 && id == stream.stream;
}

/** Envoy has ended a stream. */
export function streamClosed(id: u32, now: i64): void {
  if (!isCurrent(id)) return;
  stream.lost();
  closed(now);
}

/** The plugin that owned the stream is gone, and the stream with it. The next one carries on. */
export function ownerGone(now: i64): void {
  stream.lost();
  welcomed = false;
  connect(now);
}

/** The service has answered the hello. A grace of 0 is the default. */
export function hearWelcome(grace: u32, now: i64): void {
  graceMs = grace == 0 ? DEFAULT_GRACE_MS : min(max(<i64>grace, LEAST_GRACE_MS), MOST_GRACE_MS);
  welcomed = true;
  welcomedAt = now;
  if (lost) logInfo('portcullis guard: contact with the service is back');
  lost = false;
}

/** A message has been understood. It counts as contact only when the service knows our sessions. */
export function heard(sequence: u64, now: i64): void {
  newest = max(newest, sequence);
  if (!welcomed) return;
  heardAt = now;
  doubtUntil = i64.MAX_VALUE;
}

export function carriedOut(command: u64): void {
  lastCommand = command;
}

function connect(now: i64): void {
  lastCommand = 0;
  openedAt = now;
  if (stream.open()) tellHello(speaker, attempt++);
  else backoff.begin(now);
}

function closed(now: i64): void {
  if (welcomed && now - welcomedAt >= STEADY_MS) backoff.reset();
  welcomed = false;
  backoff.begin(now);
}

function isSilent(now: i64): bool {
  if (!welcomed) return now - openedAt > WELCOME_MS + sessionCount() / SESSIONS_HEARD_IN_MS;
  // Long before the grace is over, so that there is time for a new stream.
  return now - heardAt > min(max(graceMs / 5, LEAST_GRACE_MS), 3_000);
}

function cutWhenLost(now: i64): void {
  if (!isLost(now)) return;
  if (!lost) logWarning('portcullis guard: contact with the service is lost, all sessions are cut');
  lost = true;
  cutAll(CONTACT_LOST, now);
}

/**
 * A machine that has slept has lost time that monotonic time does not show. Wall time does, but it may also have been set, so
 * it cuts nobody by itself: the service must be heard again, and soon.
 */
function watchClocks(now: i64, wall: i64): void {
  const ahead = wall - now;
  if (ahead - wallAhead > JUMP_MS) doubtUntil = min(doubtUntil, now + DOUBT_MS);
  wallAhead = ahead;
}
