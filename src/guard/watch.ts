import { status } from '@grpc/grpc-js';
import type { Clock } from '../domain/time.js';
import { GuardAlarm } from './alarm.js';
import type { Contact, GuardSide } from './guard-side.js';
import { Intake } from './intake.js';
import { HELLO_WITHIN_MS, MAX_STREAMS } from './limits.js';
import { Link } from './link.js';
import { NoGuardError, readName, readSession } from './reading.js';
import type { FromGuard, HelloMessage, SessionMessage, Stream } from './wire.js';

interface Given {
  readonly side: GuardSide;
  readonly clock: Clock;
  readonly maxSessions: number;
  readonly alarm: (cause: unknown) => void;
  /** Whether this peer may be a guard, by its certificate in DER; undefined: it has shown none. */
  readonly admits: (certificate: Buffer | undefined) => boolean;
}

/** Carries the streams of guards: what comes in is read, checked and handed on in its order. Who is no guard is sent away. */
export function watching(given: Given): (stream: Stream) => void {
  let streams = 0;
  return (stream) => {
    if (!given.admits(stream.getAuthContext().sslPeerCertificate?.raw)) {
      given.alarm(
        new GuardAlarm('a peer that is not named came to the listener of the guards', { peer: stream.getPeer() }),
      );
      return fail(stream, status.UNAUTHENTICATED, 'this peer is not among listen.guard.tls.names');
    }
    if (given.side.isClosed) return fail(stream, status.UNAVAILABLE, 'the service ends');
    if (streams >= MAX_STREAMS) {
      given.alarm(new GuardAlarm('there are too many streams of guards'));
      return fail(stream, status.RESOURCE_EXHAUSTED, 'there are too many streams');
    }
    streams += 1;
    new Visit(stream, given, () => {
      streams -= 1;
    }).begin();
  };
}

/** One stream from its beginning to its end. */
class Visit {
  readonly #stream: Stream;
  readonly #given: Given;
  readonly #intake: Intake;
  readonly #onOver: () => void;
  readonly #helloTimer: NodeJS.Timeout;
  #contact: Contact | null = null;
  /** Sessions of the hellos so far; null when the last hello has come. */
  #told: SessionMessage[] | null = [];
  #guardId: string | null = null;
  #isOver = false;

  constructor(stream: Stream, given: Given, onOver: () => void) {
    this.#stream = stream;
    this.#given = given;
    this.#onOver = onOver;
    this.#intake = new Intake(stream, (error) => this.#fault(error));
    this.#helloTimer = setTimeout(() => this.#fault(new NoGuardError('no hello has come')), HELLO_WITHIN_MS);
  }

  begin(): void {
    const stream = this.#stream;
    stream.on('data', (message) => this.#take(message));
    stream.on('end', () => this.#over(() => stream.end()));
    // A message that cannot be decoded is such an error; so is a connection that breaks.
    stream.on('error', () => this.#over(() => undefined));
    stream.on('cancelled', () => this.#over(() => undefined));
    stream.on('close', () => this.#over(() => undefined));
  }

  /** Being heard counts at once, however much of what was said before still waits. */
  #take(message: FromGuard): void {
    if (this.#contact) this.#contact.link.heardAt = this.#given.clock.read().mono;
    if (message.hello) this.#takeHello(message.hello);
    else this.#intake.add(() => this.#hear(message));
  }

  /** The sessions of all hellos come before whatever is said after them. */
  #takeHello(hello: HelloMessage): void {
    const told = this.#told;
    if (told === null) return this.#fault(new NoGuardError('a second hello has come'));
    if (this.#guardId !== null && this.#guardId !== hello.guardId)
      return this.#fault(new NoGuardError('the hellos are of two guards'));
    this.#guardId = hello.guardId;
    told.push(...hello.sessions);
    if (told.length > this.#given.maxSessions)
      return this.#fault(new NoGuardError('the hellos name more sessions than a guard may hold'));
    if (hello.more) return;
    clearTimeout(this.#helloTimer);
    this.#told = null;
    this.#intake.add(() => this.#join(hello));
    for (const session of told)
      this.#intake.add(() => this.#given.side.opened(this.#contact!, readSession(session), true));
    const numbers = new Set(told.map(({ session }) => session));
    this.#intake.add(() => this.#given.side.resynced(this.#contact!, numbers));
  }

  #join(hello: HelloMessage): void {
    const { side, clock } = this.#given;
    this.#contact = side.join(readName(hello), hello.attempt, {
      link: (onLeft) => new Link(this.#stream, { attempt: hello.attempt, now: clock.read().mono, onLeft }),
      end: (why) => this.#over(() => fail(this.#stream, status.UNAVAILABLE, why)),
    });
  }

  #hear({ opened, closed, applied, heartbeat }: FromGuard): void {
    const contact = this.#contact;
    if (contact === null) throw new NoGuardError('the first message is no hello');
    const { side } = this.#given;
    if (opened) side.opened(contact, readSession(opened.session), false);
    else if (closed) side.closed(contact, closed);
    else if (applied) side.applied(contact, applied.command);
    else if (heartbeat) side.heartbeat(contact, heartbeat);
    // What this version does not know was said by a later one.
  }

  #fault(error: unknown): void {
    const { alarm } = this.#given;
    const isPeer = error instanceof NoGuardError;
    const about = { peer: this.#stream.getPeer(), guard: this.#contact?.guard.name.id ?? '' };
    alarm(isPeer ? new GuardAlarm(`a stream of a guard was ended: ${error.message}`, about, { cause: error }) : error);
    this.#over(() => fail(this.#stream, status.INVALID_ARGUMENT, isPeer ? error.message : 'this cannot be understood'));
  }

  #over(answer: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#helloTimer);
    this.#intake.end();
    answer();
    this.#onOver();
    if (this.#contact) this.#given.side.left(this.#contact);
  }
}

function fail(stream: Stream, code: status, details: string): void {
  stream.emit('error', { code, details });
}
