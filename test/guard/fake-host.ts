import { readFileSync } from 'node:fs';
import { decodeFromGuard, encodeToGuard } from './codec.js';
import type { Commands, FromGuard } from './messages.js';
import { guardWasm } from './wasm.js';

const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;

/** A gRPC stream that the guard has opened. */
export interface FakeStream {
  readonly id: number;
  readonly root: number;
  readonly target: Buffer;
  readonly method: string;
  readonly openedAt: number;
  readonly told: FromGuard[];
  isOpen: boolean;
}

/** A stream or connection. */
export interface FakeContext {
  readonly properties: Map<string, Buffer>;
  readonly headers: Map<string, string>;
  readonly filterState: Map<string, string>;
  /** What the guard has asked Envoy to close: 0 is a stream, 2 a connection. */
  readonly closes: number[];
  answer: { readonly status: number; readonly details: string; readonly body: string; readonly headers: Buffer } | null;
}

/** What a request comes with. */
export interface FakeRequest {
  readonly metadata?: Metadata;
  /** In its place: bytes that Envoy hands over as metadata. */
  readonly raw?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly source?: string;
}

export type Metadata = Readonly<Record<string, string | number | boolean>> | null;

/** Names of host functions, each of which can be made to fail. */
type HostFunction = keyof ReturnType<FakeHost['env']>;

const ROOT = 1;

/** What Envoy is for the guard. It runs the compiled guard, and nothing happens in it by itself: no time passes, nobody answers. */
export class FakeHost {
  monotonic = 1_000_000;
  wall = Date.UTC(2026, 0, 1);
  readonly contexts = new Map<number, FakeContext>();
  readonly streams: FakeStream[] = [];
  readonly log: string[] = [];
  readonly tickPeriods = new Map<number, number>();
  /** These say that they cannot. */
  readonly failing = new Set<HostFunction>();
  /**
   * When Envoy says that something is closed: while it is asked to, as with TCP; after the call, as with HTTP; or when the
   * test says so, as with a client that does not read.
   */
  closes: 'at once' | 'after the call' | 'later' = 'after the call';
  /** Milliseconds that went by in the host's own functions, which Envoy has others for. */
  spentMs = 0;
  /** What else happens while Envoy closes something. */
  whileClosing: (id: number) => void = () => undefined;
  sequence = 10;
  readonly exports: Exports;
  #effective = 0;
  #configuration = Buffer.alloc(0);
  #message: Uint8Array = Buffer.alloc(0);
  #afterCall: (() => void)[] = [];
  #nextStream = 1;
  #nextContext = 100;
  #commands = 0;
  #depth = 0;

  constructor(module: object = defaultModule()) {
    const env: Readonly<Record<string, (...given: number[]) => number>> = this.env();
    const counted = Object.fromEntries(
      Object.entries(env).map(([name, act]) => [
        name,
        (...given: number[]) => {
          if (this.failing.has(name as HostFunction)) return BAD_ARGUMENT;
          const begin = performance.now();
          const result = act(...given);
          this.spentMs += performance.now() - begin;
          return result;
        },
      ]),
    );
    const wasi = { clock_time_get: counted['clock_time_get'], random_get: counted['random_get'] };
    this.exports = new wasm.Instance(module, { env: counted, wasi_snapshot_preview1: wasi }).exports;
  }

  /** Starts a plugin, and with the first one the guard. Whether it takes its configuration. */
  configure(configuration: string | Uint8Array = '{"cluster": "portcullis-guard"}', root = ROOT): boolean {
    this.#addContext(root);
    this.#configuration = Buffer.from(configuration as string);
    return this.#call(root, () => this.exports.proxy_on_configure(root, this.#configuration.length)) === 1;
  }

  /** Lets time go by, with the ticks that fall into it. */
  advance(ms: number, tick = 100): void {
    for (const end = this.monotonic + ms; this.monotonic < end;) {
      const step = Math.min(tick, end - this.monotonic);
      this.monotonic += step;
      this.wall += step;
      this.tick();
    }
  }

  tick(root = this.ownerRoot()): void {
    this.#call(root, () => this.exports.proxy_on_tick(root));
  }

  /** The plugin that hears ticks. */
  ownerRoot(): number {
    return [...this.tickPeriods.keys()].findLast((root) => this.contexts.has(root)) ?? ROOT;
  }

  /** A request whose headers reach the guard; its number. It was let through when it has no answer. */
  request({ metadata = allow(), raw, headers = {}, source = '192.0.2.1:4000' }: FakeRequest = {}): number {
    const id = this.#nextContext++;
    const context = this.#addContext(id);
    if (raw) context.properties.set(`metadata|filter_metadata|envoy.filters.http.ext_authz`, raw);
    else if (metadata) this.setMetadata(id, metadata);
    for (const [name, value] of Object.entries({ ':method': 'GET', ...headers })) context.headers.set(name, value);
    context.properties.set('source|address', Buffer.from(source));
    const result = this.#call(id, () => this.exports.proxy_on_request_headers(id, context.headers.size, 0));
    context.headers.clear();
    if ((result === 0) !== (context.answer === null))
      throw new Error(`the guard said ${result} and answered otherwise`);
    return id;
  }

  /** A connection that has been accepted; its number. */
  connection(source = '192.0.2.1:4000'): number {
    const id = this.#nextContext++;
    this.#addContext(id).properties.set('source|address', Buffer.from(source));
    this.#call(id, () => this.exports.proxy_on_new_connection(id));
    return id;
  }

  /** What ext_authz says of a stream or connection. */
  setMetadata(id: number, metadata: Exclude<Metadata, null>, filter: 'http' | 'network' = 'http'): void {
    this.context(id).properties.set(`metadata|filter_metadata|envoy.filters.${filter}.ext_authz`, pairs(metadata));
  }

  setUpstream(id: number, address = '192.0.2.9:5432'): void {
    this.context(id).properties.set('upstream|address', Buffer.from(address));
  }

  setBytes(id: number, received: number, sent: number): void {
    this.context(id).properties.set('request|total_size', u64(received));
    this.context(id).properties.set('response|total_size', u64(sent));
  }

  /** A stream, connection or plugin is over. */
  done(id: number): void {
    if (!this.contexts.has(id)) return;
    this.#call(id, () => this.exports.proxy_on_done(id));
    this.contexts.delete(id);
    for (const stream of this.streams) if (stream.root === id) stream.isOpen = false;
  }

  /** Sends the guard a command on its newest stream; its number. */
  send(body: Commands, { command = ++this.#commands, sequence = this.sequence, stream = this.stream } = {}): number {
    this.receive(encodeToGuard(body, command, sequence), stream);
    return command;
  }

  /** Sends the guard bytes. */
  receive(bytes: Uint8Array, stream = this.stream): void {
    this.#message = bytes;
    this.#call(stream.root, () => this.exports.proxy_on_grpc_receive(stream.root, stream.id, bytes.length));
  }

  /** The service, or Envoy, ends a stream. */
  endStream(stream = this.stream): void {
    stream.isOpen = false;
    this.#call(stream.root, () => this.exports.proxy_on_grpc_close(stream.root, stream.id, 14));
  }

  /** The newest stream. */
  get stream(): FakeStream {
    return this.streams.at(-1)!;
  }

  get hello() {
    return this.stream.told.find(({ hello }) => hello)!.hello!;
  }

  context(id: number): FakeContext {
    return this.contexts.get(id)!;
  }

  /** Whether the guard has asked Envoy to end it, or Envoy has. */
  isCut(id: number): boolean {
    const context = this.contexts.get(id);
    return context === undefined || context.closes.length > 0;
  }

  /** All messages of one kind, on all streams. */
  told<const K extends FromGuard['message']>(kind: K): NonNullable<FromGuard[K]>[] {
    return this.streams.flatMap(({ told }) => told.flatMap((message) => (message[kind] ? [message[kind]] : [])));
  }

  /** Bytes of the guard's memory. */
  get memory(): number {
    return this.exports.memory.buffer.byteLength;
  }

  env() {
    const view = () => new DataView(this.exports.memory.buffer);
    const text = (at: number, length: number) => Buffer.from(this.exports.memory.buffer, at, length).toString();
    const bytes = (at: number, length: number) => Buffer.from(Buffer.from(this.exports.memory.buffer, at, length));
    const give = (value: Uint8Array, atPointer: number, atLength: number) => {
      const at = this.exports.proxy_on_memory_allocate(value.length);
      if (at === 0 && value.length > 0) return BAD_ARGUMENT;
      new Uint8Array(this.exports.memory.buffer).set(value, at);
      view().setUint32(atPointer, at, true);
      view().setUint32(atLength, value.length, true);
      return OK;
    };
    const effective = () => this.contexts.get(this.#effective);
    return {
      proxy_log: (_level: number, at: number, length: number) => {
        this.log.push(text(at, length));
        return OK;
      },
      proxy_set_tick_period_milliseconds: (period: number) => {
        this.tickPeriods.set(this.#effective, period);
        return OK;
      },
      proxy_get_property: (at: number, length: number, atPointer: number, atLength: number) => {
        const key = text(at, length).replaceAll('\0', '|');
        const nodes: Record<string, string> = { 'xds|node|id': 'envoy-1', 'xds|node|cluster': 'tests' };
        const value =
          effective()?.properties.get(key) ?? (nodes[key] === undefined ? undefined : Buffer.from(nodes[key]));
        return value ? give(value, atPointer, atLength) : NOT_FOUND;
      },
      proxy_set_property: (key: number, keyLength: number, value: number, valueLength: number) => {
        effective()?.filterState.set(text(key, keyLength), text(value, valueLength));
        return OK;
      },
      proxy_get_buffer_bytes: (kind: number, start: number, length: number, atPointer: number, atLength: number) => {
        const source = kind === 7 ? this.#configuration : kind === 5 ? this.#message : null;
        return source ? give(source.subarray(start, start + length), atPointer, atLength) : BAD_ARGUMENT;
      },
      proxy_get_header_map_value: (
        _map: number,
        key: number,
        keyLength: number,
        atPointer: number,
        atLength: number,
      ) => {
        const value = effective()?.headers.get(text(key, keyLength));
        return value === undefined ? NOT_FOUND : give(Buffer.from(value), atPointer, atLength);
      },
      proxy_send_local_response: (
        status: number,
        details: number,
        detailsLength: number,
        body: number,
        bodyLength: number,
        headers: number,
        headersLength: number,
      ) => {
        effective()!.answer = {
          status,
          details: text(details, detailsLength),
          body: text(body, bodyLength),
          headers: bytes(headers, headersLength),
        };
        return OK;
      },
      proxy_grpc_stream: (
        target: number,
        targetLength: number,
        service: number,
        serviceLength: number,
        method: number,
        methodLength: number,
        _metadata: number,
        _metadataLength: number,
        atStream: number,
      ) => {
        const stream = {
          id: this.#nextStream++,
          root: this.#effective,
          target: bytes(target, targetLength),
          method: `${text(service, serviceLength)}/${text(method, methodLength)}`,
          openedAt: this.monotonic,
          told: [],
          isOpen: true,
        };
        this.streams.push(stream);
        view().setUint32(atStream, stream.id, true);
        return OK;
      },
      proxy_grpc_send: (id: number, at: number, length: number) => {
        const stream = this.streams.find((one) => one.id === id && one.isOpen && one.root === this.#effective);
        if (!stream) return BAD_ARGUMENT;
        stream.told.push(decodeFromGuard(bytes(at, length)));
        return OK;
      },
      proxy_grpc_cancel: (id: number) => {
        const stream = this.streams.find((one) => one.id === id && one.root === this.#effective);
        if (!stream) return BAD_ARGUMENT;
        stream.isOpen = false;
        return OK;
      },
      proxy_set_effective_context: (id: number) => {
        if (!this.contexts.has(id)) return BAD_ARGUMENT;
        this.#effective = id;
        return OK;
      },
      proxy_close_stream: (kind: number) => {
        const id = this.#effective;
        effective()!.closes.push(kind);
        this.whileClosing(id);
        if (this.closes === 'at once') this.done(id);
        else if (this.closes === 'after the call') this.#afterCall.push(() => this.done(id));
        return OK;
      },
      clock_time_get: (clock: number, _precision: bigint | number, at: number) => {
        const ms = clock === 1 ? this.monotonic : this.wall;
        view().setBigUint64(at, BigInt(Math.floor(ms * 1_000)) * 1_000n, true);
        return OK;
      },
      random_get: (at: number, length: number) => {
        crypto.getRandomValues(new Uint8Array(this.exports.memory.buffer, at, length));
        return OK;
      },
    };
  }

  #addContext(id: number): FakeContext {
    const context = {
      properties: new Map<string, Buffer>(),
      headers: new Map<string, string>(),
      filterState: new Map<string, string>(),
      closes: [],
      answer: null,
    };
    this.contexts.set(id, context);
    return context;
  }

  /** One call of the guard. As in Envoy, the effective context is put back afterwards, and what was put off is done then. */
  #call<T>(context: number, act: () => T): T {
    const before = this.#effective;
    this.#effective = context;
    this.#depth += 1;
    try {
      return act();
    } finally {
      this.#depth -= 1;
      this.#effective = before;
      if (this.#depth === 0) for (const later of this.#afterCall.splice(0)) later();
    }
  }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  proxy_on_memory_allocate(length: number): number;
  proxy_on_configure(root: number, length: number): number;
  proxy_on_tick(root: number): void;
  proxy_on_new_connection(context: number): number;
  proxy_on_request_headers(context: number, count: number, end: number): number;
  proxy_on_done(context: number): number;
  proxy_on_grpc_receive(root: number, stream: number, length: number): void;
  proxy_on_grpc_close(root: number, stream: number, status: number): void;
}

/** What ext_authz says of somebody who is let in. */
export function allow(over: Readonly<Record<string, string | number | boolean>> = {}): Exclude<Metadata, null> {
  return {
    grant_id: 'gr_a',
    decision_id: 'dec_1',
    ends_at: Date.UTC(2026, 0, 1) + 60_000,
    remaining_ms: 60_000,
    as_of: 10,
    ...over,
  };
}

/** A host whose guard has been welcomed. */
export function welcomedHost(welcome: Commands['welcome'] = {}): FakeHost {
  const host = new FakeHost();
  host.configure();
  host.send({ welcome: { tickMs: 100, contactGraceMs: 15_000, maxSessions: 100_000, ...welcome } });
  return host;
}

/** A map as Envoy writes it. */
export function pairs(map: Readonly<Record<string, string | number | boolean | Uint8Array>>): Buffer {
  const entries = Object.entries(map).map(([key, value]) => [Buffer.from(key), valueBytes(value)] as const);
  const lengths = Buffer.alloc(4 + 8 * entries.length);
  lengths.writeUInt32LE(entries.length);
  entries.forEach(([key, value], i) => {
    lengths.writeUInt32LE(key.length, 4 + 8 * i);
    lengths.writeUInt32LE(value.length, 8 + 8 * i);
  });
  const zero = Buffer.of(0);
  return Buffer.concat([lengths, ...entries.flatMap(([key, value]) => [key, zero, value, zero])]);
}

function valueBytes(value: string | number | boolean | Uint8Array): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Buffer.of(Number(value));
  if (typeof value !== 'number') return value;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** What we use of the global WebAssembly: its types come with browsers only. */
const wasm = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: {
        new (bytes: Uint8Array): object;
        exports(module: object): readonly { readonly name: string }[];
        imports(module: object): readonly { readonly name: string }[];
      };
      readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
    };
  }
).WebAssembly;

let module: object | undefined;

function defaultModule(): object {
  module ??= new wasm.Module(readFileSync(guardWasm()));
  return module;
}

/** What the compiled guard exports. */
export function exportsOfGuard(): string[] {
  return wasm.Module.exports(defaultModule()).map(({ name }) => name);
}

/** What the compiled guard imports. */
export function importsOfGuard(): string[] {
  return wasm.Module.imports(defaultModule()).map(({ name }) => name);
}
