import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { until } from '../../e2e/envoy.js';
import type { Closed, Commands, FromGuard, Heartbeat, Hello, SessionMessage } from '../messages.js';

type Stream = ServerDuplexStream<FromGuard, unknown>;

/** One stream of one guard, as the service sees it. */
export interface Contact {
  readonly hello: Hello;
  /** What was told of each session last. */
  readonly sessions: Map<number, SessionMessage>;
  readonly closed: (Closed & { readonly at: number })[];
  readonly applied: { readonly command: number; readonly at: number }[];
  readonly heartbeats: Heartbeat[];
  isOpen(): boolean;
  /** Sends a command; its number. */
  send(body: Commands, over?: { readonly command?: number; readonly sequence?: number }): number;
}

/** What ext_authz is asked, as far as these tests look. */
export interface Question {
  readonly http: boolean;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Metadata of an allow; null denies. Undefined values are left out. */
export type Metadata = Readonly<Record<string, string | number | undefined>> | null;

/** What a guard needs of the service, and no more: answers of ext_authz that the test chooses, and the other end of the contact. */
export class SmallService {
  /** Answers every check. */
  answer: (question: Question) => Metadata = (question) => allow(question.headers['x-grant'] ?? 'gr_a');
  welcome = { tickMs: 100, contactGraceMs: 15_000, maxSessions: 100_000 };
  /** Number of the last change. */
  sequence = 10;
  /** Whether heartbeats go out. */
  speaks = true;
  readonly contacts: Contact[] = [];
  readonly #address: string;
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** A socket of this machine, such as `unix:/tmp/x.sock`. */
  constructor(address: string) {
    this.#address = address;
  }

  async start(): Promise<void> {
    const server = new Server();
    server.addService(servicesOf('envoy/service/auth/v3/external_auth.proto', 'envoy.service.auth.v3.Authorization'), {
      Check: (call: { readonly request: CheckRequest }, reply: (error: null, response: unknown) => void) =>
        reply(null, this.#check(call.request)),
    });
    server.addService(servicesOf('portcullis/guard/v1/guard.proto', 'portcullis.guard.v1.Guard'), {
      Watch: (stream: Stream) => this.#watch(stream),
    });
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(this.#address, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    this.#server = server;
    this.#timer = setInterval(() => {
      if (!this.speaks) return;
      for (const contact of this.open()) contact.send({ heartbeat: { wallMs: Date.now() } }, { command: 0 });
    }, 500);
  }

  /** As when it is killed: all connections are gone at once. */
  kill(): void {
    clearInterval(this.#timer);
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  open(): readonly Contact[] {
    return this.contacts.filter((contact) => contact.isOpen());
  }

  /** Sends a command to all guards. */
  send(body: Commands, over: { readonly sequence?: number } = {}): void {
    for (const contact of this.open()) contact.send(body, over);
  }

  /** The live session for which `wanted` holds, and whose guard knows it, as soon as there is one. */
  async session(wanted: (session: SessionMessage) => boolean = () => true): Promise<[Contact, SessionMessage]> {
    let found: [Contact, SessionMessage] | undefined;
    await until(() => {
      for (const contact of this.open())
        for (const session of contact.sessions.values()) if (wanted(session)) found = [contact, session];
      return found !== undefined;
    }, 'a session');
    return found!;
  }

  /** How a session of a guard has ended, as soon as it has. Numbers of sessions are unique in their guard only. */
  async closed({ hello }: Contact, id: number, timeoutMs = 5_000): Promise<Closed & { readonly at: number }> {
    const ofGuard = () => this.contacts.filter((one) => one.hello.guardId === hello.guardId);
    const look = () =>
      ofGuard()
        .flatMap(({ closed }) => closed)
        .find(({ session }) => session === id);
    await until(() => look() !== undefined, `the end of session ${id}`, timeoutMs);
    return look()!;
  }

  #check(request: CheckRequest): unknown {
    const { http } = request.attributes.request ?? {};
    const metadata = this.answer({ http: !!http?.path, path: http?.path ?? '', headers: http?.headers ?? {} });
    if (metadata === null) return { status: { code: 7 }, deniedResponse: { status: { code: 403 }, body: 'denied\n' } };
    const fields = Object.entries(metadata).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, typeof value === 'number' ? { numberValue: value } : { stringValue: value }]],
    );
    return { status: { code: 0 }, okResponse: {}, dynamicMetadata: { fields: Object.fromEntries(fields) } };
  }

  #watch(stream: Stream): void {
    let contact: Mutable<Contact> | undefined;
    let commands = 0;
    let isOpen = true;
    const end = () => (isOpen = false);
    stream.on('error', end).on('close', end);
    stream.on('end', () => {
      end();
      stream.end();
    });
    const send: Contact['send'] = (body, { command = ++commands, sequence = this.sequence } = {}) => {
      stream.write({ command, sequence, ...body });
      return command;
    };
    stream.on('data', (told: FromGuard) => {
      if (told.hello) {
        contact ??= {
          hello: told.hello,
          sessions: new Map(),
          closed: [],
          applied: [],
          heartbeats: [],
          isOpen: () => isOpen,
          send,
        };
        for (const session of told.hello.sessions) contact.sessions.set(session.session, session);
        if (told.hello.more) return;
        this.contacts.push(contact);
        if (this.speaks) send({ welcome: this.welcome });
      } else if (contact) note(contact, told);
    });
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function note(contact: Contact, told: FromGuard): void {
  const at = performance.now();
  if (told.opened) contact.sessions.set(told.opened.session.session, told.opened.session);
  if (told.applied) contact.applied.push({ ...told.applied, at });
  if (told.heartbeat) contact.heartbeats.push(told.heartbeat);
  if (!told.closed) return;
  contact.sessions.delete(told.closed.session);
  contact.closed.push({ ...told.closed, at });
}

/** What ext_authz answers for a grant that goes on for a while. */
export function allow(grantId: string, remainingMs = 60_000, asOf = 10): Exclude<Metadata, null> {
  return {
    grant_id: grantId,
    decision_id: `dec_${grantId}`,
    ends_at: Date.now() + remainingMs,
    remaining_ms: remainingMs,
    as_of: asOf,
  };
}

interface CheckRequest {
  readonly attributes: {
    readonly request?: {
      readonly http?: { readonly path: string; readonly headers: Readonly<Record<string, string>> };
    };
  };
}

function servicesOf(file: string, name: string): ServiceClientConstructor['service'] {
  const options = { includeDirs: ['proto'], longs: Number, enums: String, defaults: true, oneofs: true };
  const loaded: unknown = loadPackageDefinition(loadSync(file, options));
  const found = name.split('.').reduce((at, step) => (at as Record<string, unknown>)[step], loaded);
  return (found as ServiceClientConstructor).service;
}
