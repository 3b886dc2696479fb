import type { LiveSessions, Outstanding, SessionStanding } from '../access/live-sessions.js';
import type { SessionId } from '../domain/ids.js';
import type { GuardName } from '../domain/session.js';
import { GuardAlarm } from './alarm.js';
import { Commands } from './commands.js';
import { Enforcement } from './enforcement.js';
import { Guard, Guards, outstanding } from './guards.js';
import { Journal } from './journal.js';
import { APPLY_WITHIN_MS, HEARTBEAT_MS } from './limits.js';
import type { Link } from './link.js';
import { NoGuardError } from './reading.js';
import { recallGuards } from './recall.js';
import { SessionTable, type LiveSession } from './session-table.js';
import type { GuardNeeds, Shared } from './shared.js';
import { close, isOverdue, takeClosed, takeHeartbeat, takeOpened } from './told.js';
import type { ClosedMessage, HeartbeatMessage } from './wire.js';
import type { ToldSession } from './reading.js';

/** What a guard that has not been heard of for so long beyond the grace has done: it ticks, and its clock is not ours. */
const GONE_SLACK_MS = 1_000;

/** One stream of a guard, once it has said who it is. Whoever carries the stream calls these, one after the other. */
export interface Contact {
  readonly guard: Guard;
  readonly link: Link;
  /** Ends the stream from our side. */
  readonly end: (why: string) => void;
}

/** The service's end of the contact with all guards. */
export class GuardSide implements LiveSessions {
  readonly #shared: Shared;
  readonly #enforcement: Enforcement;
  readonly #contacts = new Map<Guard, Contact>();
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(needs: GuardNeeds) {
    const guards = new Guards();
    const { store, clock, room, alarm, observe } = needs;
    this.#shared = {
      ...needs,
      guards,
      table: new SessionTable(),
      commands: new Commands(guards, clock),
      journal: new Journal({ store, clock, room, alarm, onUnrecorded: observe.unrecorded }),
    };
    this.#enforcement = new Enforcement(this.#shared);
    this.#stopListening = needs.feed.listen((entries) => this.#enforcement.hear(entries));
  }

  /** Whether no guard is to come any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ticks by itself from now on. */
  start(): void {
    this.#timer = setInterval(() => this.tick(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  /** Remembers the guards from before the start, until they come back or are gone. Before anybody can wait for them. */
  async recall(): Promise<void> {
    const { store, clock, settings, guards } = this.#shared;
    const { wall, mono } = clock.read();
    const goneAfter = settings.contactGrace + GONE_SLACK_MS;
    for (const { name, until } of await recallGuards(store, { now: wall, goneAfter })) {
      const left = until + goneAfter - wall;
      if (left <= 0 || guards.find(name.id) !== undefined) continue;
      const guard = new Guard(name);
      guard.isRecalled = true;
      guard.goneAt = mono + left;
      guards.add(guard);
    }
  }

  get size(): { readonly guards: number; readonly sessions: number } {
    return { guards: this.#contacts.size, sessions: this.#shared.table.size };
  }

  all(): Iterable<SessionStanding> {
    return this.#shared.table.all();
  }

  find(id: SessionId): SessionStanding | undefined {
    return this.#shared.table.find(id);
  }

  async settle(withinMs: number): Promise<readonly Outstanding[]> {
    const { guards, clock, settings } = this.#shared;
    const begun = clock.read().mono;
    if (!this.#enforcement.isThrough) await within(withinMs, this.#enforcement.through());
    const left = Math.max(0, withinMs - (clock.read().mono - begun));
    const late = this.#enforcement.isThrough ? await guards.settled(left) : [...guards.all()];
    return late.map((guard) => outstanding(guard, settings.contactGrace, clock.read()));
  }

  /**
   * A guard has said hello, and all its sessions follow as `opened` until `resynced`.
   *
   * @throws {NoGuardError} for a stream that is older than the one at hand, or as old
   */
  join(
    name: GuardName,
    attempt: number,
    open: { link: (onLeft: (since: number) => void) => Link; end: Contact['end'] },
  ): Contact {
    const { guards, clock, settings, observe, journal, log } = this.#shared;
    const guard = guards.find(name.id) ?? new Guard(name);
    if (guard.link !== null && attempt <= guard.link.attempt)
      throw new NoGuardError('this stream is older than another one of this guard');
    this.#contacts.get(guard)?.end('another stream of this guard has taken over');
    const link = open.link((since) => observe.commandLeft(Math.max(0, clock.read().mono - since) / 1_000));
    if (guards.find(name.id) === undefined || guard.isRecalled) {
      guards.add(guard);
      guard.isRecalled = false;
      journal.add({ action: 'guard.joined', guard: name });
      log.info({ guard: name }, 'a guard is in contact');
    }
    guard.name = name;
    guard.link = link;
    guard.goneAt = Infinity;
    const contact = { guard, link, end: open.end };
    this.#contacts.set(guard, contact);
    const { tick, contactGrace, maxSessions } = settings;
    const welcome = { tickMs: tick, contactGraceMs: contactGrace, maxSessions };
    link.send({ welcome }, this.#enforcement.sequence, clock.read());
    return contact;
  }

  opened({ guard }: Contact, told: ToldSession, isResumed: boolean): void {
    takeOpened(this.#shared, guard, told, isResumed);
  }

  /** All that the guard holds has been told: what it has not is over. */
  resynced({ guard, link }: Contact, numbers: ReadonlySet<number>): void {
    for (const session of guard.sessions.values())
      if (!numbers.has(session.number)) close(this.#shared, guard, session, { reason: 'unseen', cutAfter: null });
    link.resynced = link.sent;
    this.#shared.guards.progressed(guard);
  }

  closed({ guard }: Contact, message: ClosedMessage): void {
    takeClosed(this.#shared, guard, message);
  }

  /** @throws {NoGuardError} */
  applied({ guard, link }: Contact, command: number): void {
    link.acknowledge(command);
    this.#shared.guards.progressed(guard);
  }

  heartbeat({ guard }: Contact, message: HeartbeatMessage): void {
    takeHeartbeat(this.#shared, guard, message);
  }

  /** The stream is over. The guard has the grace to come back, counted from now: it may have heard us until now. */
  left(contact: Contact): void {
    const { guard, link } = contact;
    if (guard.link !== link) return;
    const { clock, settings, log } = this.#shared;
    guard.link = null;
    guard.goneAt = clock.read().mono + settings.contactGrace + GONE_SLACK_MS;
    this.#contacts.delete(guard);
    log.warn({ guard: guard.name, sessions: guard.sessions.size }, 'contact with a guard is lost');
  }

  /** Every 500 ms. Nothing that a session's end depends on: guards end what expires by themselves. */
  tick(): void {
    this.#enforcement.lookAtPolicies();
    const { guards, clock, table } = this.#shared;
    const now = clock.read();
    for (const contact of this.#contacts.values()) this.#keep(contact, now.mono);
    for (const guard of guards.all()) if (now.mono > guard.goneAt) this.#gone(guard);
    for (const session of table.live()) this.#look(session, now.mono);
    table.forget(now.mono);
    for (const { link } of this.#contacts.values())
      link.heartbeat(now.trusted ? now.wall : 0, this.#enforcement.sequence);
  }

  /** Writes down what is to be written, and ends all streams: the guards keep their sessions and come again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#stopListening();
    for (const { end } of this.#contacts.values()) end('the service ends');
    await this.#shared.journal.close();
  }

  /** A guard that is silent, or does not do as it is told, is sent away; if it lives, it comes again and is told anew. */
  #keep({ guard, link, end }: Contact, now: number): void {
    const { settings, alarm } = this.#shared;
    if (now - link.heardAt > settings.contactGrace) return end('nothing was heard for the contact grace');
    const isStuck = link.waitingSince !== null && now - link.waitingSince > APPLY_WITHIN_MS;
    if (!isStuck && !link.isClogged) return;
    alarm(new GuardAlarm('a guard does not apply what it is told', { guard: guard.name.id }));
    end('commands are not applied');
  }

  #gone(guard: Guard): void {
    const { guards, journal, log } = this.#shared;
    for (const session of guard.sessions.values())
      close(this.#shared, guard, session, { reason: 'gone', cutAfter: null });
    journal.add({ action: 'guard.left', guard: guard.name });
    log.info({ guard: guard.name }, 'a guard is gone');
    guards.remove(guard);
  }

  #look(session: LiveSession, now: number): void {
    const { clock, commands } = this.#shared;
    const cause = { sequence: this.#enforcement.sequence, since: null };
    if (isOverdue(session, clock.read().wall)) {
      this.#shared.alarm(new GuardAlarm('a guard has not ended a session in time', { session: session.session.id }));
      commands.cutSession(session, { reason: 'expired', since: now }, cause);
    } else if (this.#isIdle(session, now)) commands.cutSession(session, { reason: 'idle', since: now }, cause);
  }

  /** A guard looks at 200 sessions twice a second, in turn: what moves is not known to move before its turn has come. */
  #isIdle(session: LiveSession, now: number): boolean {
    const { policies, guards } = this.#shared;
    const idle = policies.current.policies.get(session.grant.policy)?.sessions.idle ?? null;
    if (idle === null || session.mark !== null) return false;
    // Of raw TCP without the gate no Envoy tells how much goes through.
    if (session.session.protocol === 'tcp' && !session.hasMoved) return false;
    const guard = guards.find(session.session.guard);
    if (guard === undefined || guard.link === null) return false;
    const turn = (Math.ceil(Math.max(guard.holds, guard.sessions.size) / 200) + 1) * HEARTBEAT_MS;
    return now - session.movedAt > idle + turn;
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
