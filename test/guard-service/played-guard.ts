import { randomBytes } from 'node:crypto';
import { Client, credentials, status, type ChannelCredentials, type ClientDuplexStream } from '@grpc/grpc-js';
import type { GrantId } from '../../src/domain/ids.js';
import { GUARD_SERVICE, type FromGuard, type SessionMessage, type ToGuard } from '../../src/guard/wire.js';

/** What the guard holds of one session. */
interface Held {
  readonly number: number;
  grant: string;
  asOf: number;
  remainingMs: number;
}

interface Options {
  readonly address: string;
  readonly id?: string;
  readonly node?: string;
  readonly channel?: ChannelCredentials;
}

/** Message to the service; what is left out is not sent. */
type Told = { readonly [K in Exclude<keyof FromGuard, 'message'>]?: object };

/** A guard as the service sees it: it does what it is told at once, unless the test says otherwise. */
export class PlayedGuard {
  readonly id: string;
  readonly node: string;
  readonly sessions = new Map<number, Held>();
  /** Sequence of the last cut of each grant. */
  readonly tombstones = new Map<string, number>();
  /** Everything that has come, heartbeats too. */
  readonly heard: ToGuard[] = [];
  /** How each session ended here. */
  readonly ended = new Map<number, string>();
  /** Does nothing with commands and says nothing of them. */
  isDeaf = false;
  /** Does what it is told but never says so. */
  isMute = false;
  attempt = 0;
  /** How the last stream ended. */
  over: { readonly code: number; readonly details: string } | null = null;
  readonly #options: Options;
  #client: Client | null = null;
  #stream: ClientDuplexStream<object, ToGuard> | null = null;
  #last = 0;

  constructor(options: Options) {
    this.#options = options;
    this.id = options.id ?? randomBytes(16).toString('hex');
    this.node = options.node ?? 'envoy-1';
  }

  /** Opens a stream; nothing is said on it yet. */
  open(): void {
    this.#client ??= new Client(this.#options.address, this.#options.channel ?? credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = GUARD_SERVICE['Watch']!;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize as never);
    this.#stream = stream as never;
    this.over = null;
    stream.on('data', (message: ToGuard) => this.#hear(message));
    stream.on('status', (ended: { code: number; details: string }) => {
      if (this.#stream === (stream as never)) this.#stream = null;
      this.over = ended;
    });
    stream.on('error', () => undefined);
  }

  /** Opens a stream, says hello with everything that lives, and waits for the welcome. */
  async connect(over: object = {}): Promise<this> {
    this.open();
    const before = this.welcomes();
    const sessions = [...this.sessions.values()].map((held) => this.message(held));
    this.say({ hello: { ...this.hello(), sessions, ...over } });
    await until(() => this.welcomes() > before || this.over !== null, 'a welcome');
    return this;
  }

  hello(): object {
    return {
      protocol: 1,
      guardId: this.id,
      attempt: this.attempt++,
      nodeId: this.node,
      nodeCluster: 'edge',
      envoyVersion: '1.40.0',
      wallMs: 0,
    };
  }

  welcomes(): number {
    return this.heard.filter((message) => 'welcome' in message && message.welcome).length;
  }

  commands(kind: 'cut' | 'rebind' | 'extend' | 'forget'): ToGuard[] {
    return this.heard.filter((message) => (message as unknown as Record<string, unknown>)[kind]);
  }

  say(message: Told): void {
    this.#stream?.write(message);
  }

  /** Envoy has let somebody in: the number of the session; null when this guard will not have it. */
  enter(
    grant: GrantId | string,
    { asOf = 0, remainingMs = 3_600_000, ...over }: Partial<SessionMessage> = {},
  ): number | null {
    const tombstone = this.tombstones.get(grant);
    if (tombstone !== undefined && asOf < tombstone) return null;
    const held = { number: ++this.#last, grant, asOf, remainingMs };
    this.sessions.set(held.number, held);
    this.say({ opened: { session: { ...this.message(held), ...over } } });
    return held.number;
  }

  message({ number, grant, asOf, remainingMs }: Held): SessionMessage {
    return {
      session: number,
      grantId: grant,
      decisionId: `dec_${String(number).padStart(26, '0')}`,
      asOf,
      protocol: 'GATE',
      downstreamAddress: '192.0.2.7:4711',
      upstreamAddress: '10.0.0.7:5432',
      startedMs: 1_767_225_600_000,
      remainingMs,
      bytesReceived: 0,
      bytesSent: 0,
    };
  }

  leave(number: number, reason = 'PEER', bytes = { bytesReceived: 100, bytesSent: 2_000 }): void {
    if (!this.sessions.delete(number)) return;
    this.ended.set(number, reason);
    this.say({ closed: { session: number, reason, ...bytes, endedMs: 0 } });
  }

  heartbeat(over: object = {}): void {
    this.say({ heartbeat: { command: 0, sessions: this.sessions.size, traffic: [], memory: 65_536, ...over } });
  }

  /** The stream breaks, as when the network does. */
  break(): void {
    this.#stream?.cancel();
    this.#stream = null;
  }

  /** Half-closes, as a guard never does. */
  halfClose(): void {
    this.#stream?.end();
  }

  close(): void {
    this.break();
    this.#client?.close();
    this.#client = null;
  }

  /** Carries out a command, whenever it came. */
  obey(message: ToGuard): void {
    if ('cut' in message && message.cut) this.#cut(message.cut, message.sequence);
    if ('rebind' in message && message.rebind) {
      for (const number of message.rebind.sessions) {
        const held = this.sessions.get(number);
        if (!held || message.sequence < held.asOf) continue;
        Object.assign(held, {
          grant: message.rebind.grantId,
          remainingMs: message.rebind.remainingMs,
          asOf: message.sequence,
        });
      }
    }
    if (message.command > 0 && !this.isMute) this.say({ applied: { command: message.command } });
  }

  #hear(message: ToGuard): void {
    this.heard.push(message);
    if (!this.isDeaf) this.obey(message);
  }

  #cut({ grants = [], sessions = [], reason }: Extract<ToGuard, { cut: unknown }>['cut'], sequence: number): void {
    for (const { grantId } of grants) {
      this.tombstones.set(grantId, Math.max(sequence, this.tombstones.get(grantId) ?? 0));
      for (const held of this.sessions.values())
        if (held.grant === grantId && held.asOf <= sequence) this.leave(held.number, 'CUT');
    }
    for (const number of sessions) this.leave(number, reason === 'IDLE' ? 'IDLE' : 'CUT');
  }
}

export async function until(holds: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const REFUSED = status.INVALID_ARGUMENT;
