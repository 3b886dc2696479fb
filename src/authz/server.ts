import { readFileSync } from 'node:fs';
import {
  Server,
  type ServerCredentials,
  type Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { SubjectPattern } from '../domain/subject-pattern.js';
import { plainDenies, serializeAnswer, type Answer } from './answer.js';
import type { Core } from './core.js';
import { serveOnStreams } from './fast-lane.js';
import { answering, type Handler } from './handler.js';
import { createHealth, type Health } from './health.js';
import { admitting, onlyPeers } from './peer.js';

/** A gRPC service beside ext_authz on the same listener. */
interface Service {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export interface AuthzServer {
  /** The port, where it was chosen by the system. */
  readonly port: number;
  readonly health: Health;
  /** Takes no new calls, lets running ones end for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface Listener {
  /** `unix:/path` or `host:port`. */
  readonly target: string;
  readonly credentials: ServerCredentials;
  /** Peers that may call, on a listener with mutual TLS; empty: all that the handshake lets through. */
  readonly peers?: readonly SubjectPattern[];
}

interface Serving {
  readonly alarm: (cause: unknown) => void;
  readonly services?: readonly Service[];
  /** The machine's clock, by which grpc-js reckons the deadlines of the calls that it handles; without it none of those is held. */
  readonly wall?: () => number;
}

/** Above Envoy's largest headers (60 KiB) and a certificate, far below what could hurt. */
const MAX_MESSAGE = 256 * 1024;

const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE,
  'grpc.max_send_message_length': MAX_MESSAGE,
  'grpc.max_metadata_size': 16 * 1024,
  'grpc.max_concurrent_streams': 1_000,
  'grpc-node.max_session_memory': 10,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.so_reuseport': 0,
} as const;

const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';

/** Schemas come from our own built file alone, never from text that somebody else wrote. */
const descriptors = fromJSON(
  JSON.parse(readFileSync(new URL('../../proto/descriptors.json', import.meta.url), 'utf8')) as never,
  {
    longs: Number,
    enums: String,
    defaults: true,
  },
);

/**
 * Serves ext_authz and grpc.health.v1. `core` gets the request as bytes and gives bytes back; grpc-js neither decodes
 * nor encodes anything.
 *
 * @throws {Error} when the address is taken, or when a deny that was encoded at start does not decode to one
 */
export async function serveAuthz(
  { target, credentials, peers = [] }: Listener,
  core: Core,
  { alarm, services = [], wall }: Serving,
): Promise<AuthzServer> {
  assertDeniesDeny();
  const health = createHealth([AUTHORIZATION]);
  const handler = answering(core, { alarm });
  const server = new Server({ ...OPTIONS, ...(peers.length > 0 && { interceptors: [onlyPeers(peers)] }) });
  server.addService({ Check: CHECK } as unknown as ServiceDefinition, { Check: asUnary(handler, wall) });
  server.addService(definitionOf('grpc.health.v1.Health'), health.implementation);
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  const port = await bind(server, target, credentials);
  serveOnStreams(server, {
    path: CHECK.path,
    metadata: NAMED_BY_FILTER,
    maxMessage: MAX_MESSAGE,
    admits: admitting(peers),
    handler,
  });
  return { port, health, close: (graceMs) => close(server, health, graceMs) };
}

/** A service of our own descriptors, by its full name. */
export function definitionOf(name: string): ServiceDefinition {
  return descriptors[name] as ServiceDefinition;
}

/** In gRPC metadata, as the filter's own configuration sets it. */
const NAMED_BY_FILTER = 'x-portcullis-resource';

/** The call of grpc-js as far as it is used. */
interface Call {
  readonly request: Buffer;
  readonly metadata: Pick<Metadata, 'get'>;
  /** Infinite where the caller names none. */
  getDeadline(): Date | number;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** The handler as grpc-js calls it. */
function asUnary(handler: Handler, wall: () => number = () => Infinity) {
  return (call: Call, callback: (error: null, answer: Answer) => void): void => {
    const named = call.metadata.get(NAMED_BY_FILTER).map(String);
    const deadline = Number(call.getDeadline());
    const patience = deadline === Infinity ? null : Math.max(0, deadline - wall());
    const giveUp = handler(call.request, named, (answer) => callback(null, answer), patience);
    if (giveUp !== undefined) call.on('cancelled', giveUp);
  };
}

const CHECK: MethodDefinition<never, Answer> = {
  path: `/${AUTHORIZATION}/Check`,
  requestStream: false,
  responseStream: false,
  requestSerialize: (request: never) => request,
  requestDeserialize: (bytes: Buffer) => bytes as never,
  responseSerialize: serializeAnswer,
  responseDeserialize: (bytes: Buffer) => bytes as never,
};

/** What every failure falls back to is decoded by another decoder than the one that wrote it, before anything listens. */
function assertDeniesDeny(): void {
  const { responseDeserialize } = definitionOf(AUTHORIZATION)['Check'] as MethodDefinition<unknown, DecodedAnswer>;
  for (const answer of plainDenies()) {
    const { status, deniedResponse, okResponse } = responseDeserialize(serializeAnswer(answer));
    if (!status?.code || !deniedResponse?.status || okResponse)
      throw new Error('a deny that was encoded at start does not decode to a deny');
  }
}

interface DecodedAnswer {
  readonly status: { readonly code: number } | null;
  readonly deniedResponse?: { readonly status: unknown };
  readonly okResponse?: unknown;
}

function bind(server: Server, target: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function close(server: Server, health: Health, graceMs: number): Promise<void> {
  health.set(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
