import type { Grant } from '../domain/grant.js';
import type { Session, SessionEndReason } from '../domain/session.js';
import { after, earliest, seconds, type Duration, type Instant } from '../domain/time.js';
import { GuardAlarm } from './alarm.js';
import { cutSurplus, rebind } from './binding.js';
import type { Guard } from './guards.js';
import { endReasonOf, judge, type Judgement } from './judge.js';
import { sessionIdOf, whole, type ToldSession } from './reading.js';
import { LiveSession } from './session-table.js';
import type { Shared } from './shared.js';
import type { ClosedMessage, HeartbeatMessage, RefusedMessage } from './wire.js';

/** How much longer than its grant a session may seem to last: what an answer needs on its way. */
const LATE = seconds(2);

/** Takes in a session that a guard tells of. One whose grant no longer stands is cut. */
export function takeOpened(shared: Shared, guard: Guard, told: ToldSession, isResumed: boolean): void {
  const known = guard.sessions.get(told.number);
  if (known !== undefined) {
    note(known, told);
    if (!isResumed) return;
  } else if (guard.sessions.size >= shared.settings.maxSessions) {
    shared.alarm(new GuardAlarm('a guard tells more sessions than it may hold', { guard: guard.name.id }));
    return shared.commands.cutNumber(guard, told.number, { sequence: 0, since: null });
  }
  const judgement = judge(shared, told.grantId);
  if (judgement.grant === undefined) return refuse(shared, guard, told, judgement.sequence);
  const session = known ?? enter(shared, guard, { told, grant: judgement.grant, isResumed });
  if (known !== undefined) resume(shared, known, told, judgement.grant);
  apply(shared, guard, session, judgement);
}

/** A session that is over. */
export function takeClosed(shared: Shared, guard: Guard, message: ClosedMessage): void {
  const session = guard.sessions.get(message.session);
  if (session === undefined) return;
  session.bytesReceived = whole(message.bytesReceived);
  session.bytesSent = whole(message.bytesSent);
  const isCut = message.reason === 'CUT' || message.reason === 'IDLE';
  const { mark } = session;
  close(shared, guard, session, {
    reason: (isCut && mark?.reason) || (CLOSED[message.reason] ?? 'closed'),
    cutAfter: isCut && mark !== null ? shared.clock.read().mono - mark.since : null,
  });
}

/** What a guard says twice a second. */
export function takeHeartbeat(shared: Shared, guard: Guard, message: HeartbeatMessage): void {
  guard.holds = whole(message.sessions);
  const { mono } = shared.clock.read();
  for (const { session: number, bytesReceived, bytesSent } of message.traffic) {
    const session = guard.sessions.get(number);
    if (session === undefined) continue;
    session.bytesReceived = whole(bytesReceived);
    session.bytesSent = whole(bytesSent);
    session.hasMoved = true;
    session.movedAt = mono;
  }
  if (message.refused) takeRefused(shared, guard, message.refused);
  const malformed = whole(message.malformed);
  if (malformed > guard.malformed)
    shared.alarm(new GuardAlarm('a guard did not understand what it was told', { guard: guard.name.id, malformed }));
  guard.malformed = malformed;
}

/** Ends a session in the table, and writes that down. */
export function close(
  { table, journal, clock, observe }: Shared,
  guard: Guard,
  session: LiveSession,
  { reason, cutAfter }: { readonly reason: SessionEndReason; readonly cutAfter: number | null },
): void {
  const { wall, mono } = clock.read();
  const { upstream, bytesReceived, bytesSent } = session;
  const milliseconds = cutAfter === null ? null : Math.max(0, Math.round(cutAfter));
  const end = { reason, at: wall, cutAfter: milliseconds, upstream, bytesReceived, bytesSent };
  guard.sessions.delete(session.number);
  table.close(session, end, mono);
  journal.add({ action: 'session.closed', session: session.session, end });
  observe.ended(reason);
  if (cutAfter !== null) observe.cut(cutAfter / 1_000);
}

const CLOSED: Readonly<Record<string, SessionEndReason>> = {
  PEER: 'closed',
  CUT: 'cut',
  IDLE: 'idle',
  EXPIRED: 'expired',
  CONTACT_LOST: 'contact_lost',
  NO_END: 'refused',
  STALE: 'refused',
  OVERLOADED: 'refused',
};

function enter(
  { table, journal, clock, certificateUntil }: Shared,
  guard: Guard,
  { told, grant, isResumed }: { readonly told: ToldSession; readonly grant: Grant; readonly isResumed: boolean },
): LiveSession {
  const { wall, mono } = clock.read();
  const session = new LiveSession({
    session: sessionOf(guard, told, grant),
    number: told.number,
    grant,
    endsAt: endOf(told, grant, wall),
    certificateUntil: (told.decisionId && certificateUntil(told.decisionId)) ?? null,
    now: mono,
  });
  note(session, told);
  guard.sessions.set(told.number, session);
  table.add(session);
  journal.add({ action: 'session.opened', session: session.session, resumed: isResumed });
  return session;
}

/**
 * When a session ends. Counted from now, what its guard has told is late by the time that it took; one that does outlive its
 * grant is left as it is told, so that it is noticed.
 */
function endOf({ remainingMs }: ToldSession, { expiresAt }: Grant, wall: Instant): Instant {
  const counted = after(wall, remainingMs as Duration);
  return counted > after(expiresAt, LATE) ? counted : earliest(counted, expiresAt);
}

function sessionOf(guard: Guard, told: ToldSession, grant: Grant): Session {
  const { decisionId, protocol, downstream, startedAt } = told;
  const { id: grantId, policy, subject, person, resource } = grant;
  const { id, node } = guard.name;
  const whose = { policy, subject, person, resource };
  return { id: sessionIdOf(id, told), grantId, decisionId, ...whose, protocol, downstream, startedAt, guard: id, node };
}

function note(session: LiveSession, { upstream, bytesReceived, bytesSent }: ToldSession): void {
  session.upstream = upstream ?? session.upstream;
  session.bytesReceived = Math.max(session.bytesReceived, bytesReceived);
  session.bytesSent = Math.max(session.bytesSent, bytesSent);
}

/** A guard that was out of contact has missed what it was told meanwhile: what it says of the session holds. */
function resume({ table, clock }: Shared, session: LiveSession, told: ToldSession, grant: Grant): void {
  session.endsAt = endOf(told, grant, clock.read().wall);
  if (grant.id !== session.grant.id) table.move(session, grant);
}

function apply(shared: Shared, guard: Guard, session: LiveSession, { grant, standing, sequence }: Judgement): void {
  const { mono } = shared.clock.read();
  const cause = { sequence, since: null };
  if (standing.stands) {
    // What was to be cut while its guard was out of contact: by hand, say.
    if (session.mark !== null) return shared.commands.cutSession(session, session.mark, cause);
    if (session.endsAt > after(grant!.expiresAt, LATE)) shorten(shared, session, cause);
    return cutSurplus(shared, grant!, cause);
  }
  if (standing.instead !== null && session.mark === null) return rebind(shared, [session], standing.instead, cause);
  shared.commands.cutSession(session, { reason: endReasonOf(standing.reason), since: mono }, cause);
  // The rest of the grant too, at this guard: the answer that let this one in may have let in others.
  shared.commands.cutGrantsOf(guard, [grant!], cause);
}

/** It would outlive its grant: its filter is not where it belongs, or its host's clocks are wrong. */
function shorten({ commands, alarm }: Shared, session: LiveSession, cause: { sequence: number; since: null }): void {
  alarm(new GuardAlarm('a session was told to last longer than its grant', { session: session.session.id }));
  session.endsAt = session.grant.expiresAt;
  commands.rebind([session], session.grant, cause);
}

/** Under a grant that there is not, so nothing is known of it that could be listed. */
function refuse({ commands, alarm }: Shared, guard: Guard, { number }: ToldSession, sequence: number): void {
  alarm(new GuardAlarm('a guard tells a session under a grant that there is not', { guard: guard.name.id }));
  commands.cutNumber(guard, number, { sequence, since: null });
}

function takeRefused({ observe, log }: Shared, guard: Guard, refused: RefusedMessage): void {
  for (const reason of REFUSALS) {
    const more = whole(refused[reason]) - whole(guard.refused[reason]);
    if (more > 0) observe.refused(reason, more);
  }
  if (refused.noEnd > guard.refused.noEnd)
    log.warn(
      { guard: guard.name, noEnd: refused.noEnd },
      'a guard finds no answer of ext_authz: it must stand directly behind it',
    );
  guard.refused = refused;
}

const REFUSALS = ['noEnd', 'expired', 'stale', 'contactLost', 'overloaded'] as const;

/** By the clock of the service; what its guard has not closed by then, it is told to. */
export function isOverdue({ endsAt, mark }: LiveSession, wall: Instant): boolean {
  return mark === null && wall > after(endsAt, LATE);
}
