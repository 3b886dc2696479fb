import type { Server } from '@grpc/grpc-js';
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { frameOf, plainDeny, type Answer } from './answer.js';
import type { Handler } from './handler.js';

/** One unary method, and who may call it this way. */
export interface Lane {
  readonly path: string;
  /** The one entry of the gRPC metadata that the handler gets. */
  readonly metadata: string;
  /** Bytes of the longest message. */
  readonly maxMessage: number;
  readonly admits: (session: Http2Session) => boolean;
  readonly handler: Handler;
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;

/**
 * Answers the plain calls of one unary method of a listening grpc-js server directly on their HTTP/2 streams: the
 * machinery of grpc-js for a call (interceptors, deadlines, compression, metadata) costs half as much again as the
 * streams themselves, see docs/benchmarks.md. Connections, keepalive, limits and shutdown stay with grpc-js, and so does
 * every call that is not plain: of another method, compressed, with another content type, of a peer that is not admitted.
 *
 * Returns false when this release of grpc-js keeps its listeners elsewhere: then it answers all calls as it does anyway.
 */
export function serveOnStreams(server: Server, lane: Lane): boolean {
  const { http2Servers } = server as unknown as { readonly http2Servers?: unknown };
  if (!(http2Servers instanceof Map)) return false;
  for (const http2Server of http2Servers.keys() as Iterable<Http2Server>) {
    const [others, ...more] = http2Server.listeners('stream') as OnStream[];
    if (others === undefined || more.length > 0) return false;
    http2Server.removeListener('stream', others);
    http2Server.on('stream', (stream, headers, flags) => {
      if (isPlain(stream, headers, lane)) receive(stream, headers, lane);
      else others(stream, headers, flags);
    });
  }
  return true;
}

function isPlain({ session }: ServerHttp2Stream, headers: IncomingHttpHeaders, lane: Lane): boolean {
  const { 'content-type': type, 'grpc-encoding': encoding = IDENTITY } = headers;
  return (
    headers[':path'] === lane.path &&
    headers[':method'] === 'POST' &&
    (type === CONTENT_TYPE || type === `${CONTENT_TYPE}+proto`) &&
    encoding === IDENTITY &&
    session !== undefined &&
    lane.admits(session)
  );
}

const CONTENT_TYPE = 'application/grpc';
const IDENTITY = 'identity';

function namesIn(value: string | string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** Before each message: one byte that tells compression, four of its length. */
const PREFIX = 5;

function receive(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, lane: Lane): void {
  const { maxMessage, handler } = lane;
  const parts: Buffer[] = [];
  let size = 0;
  stream.on('error', ignore); // `close` follows, and there is nobody left to tell
  stream.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= PREFIX + maxMessage) parts.push(part);
    else respond(stream, plainDeny('malformed')); // what is still to come is dropped
  });
  stream.on('end', () => {
    if (size > PREFIX + maxMessage) return;
    const message = messageIn(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    parts.length = 0; // the stream itself lives until garbage is collected, and would keep all it was read with
    if (message === null) return respond(stream, plainDeny('malformed'));
    const patience = patienceIn(headers['grpc-timeout']);
    const giveUp = handler(message, namesIn(headers[lane.metadata]), (answer) => respond(stream, answer), patience);
    if (giveUp !== undefined) whenGivenUp(stream, giveUp);
  });
}

function ignore(): void {}

/** For a check that is held. Envoy resets the stream when its client has left; a lost connection closes it too. */
function whenGivenUp(stream: ServerHttp2Stream, giveUp: () => void): void {
  if (stream.destroyed || stream.closed) giveUp();
  else stream.once('close', giveUp);
}

const MS_OF: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** What `grpc-timeout` says, in milliseconds; null where it says nothing. What cannot be read is no time at all. */
export function patienceIn(timeout: string | string[] | undefined): number | null {
  if (timeout === undefined) return null;
  const [, count, unit] = (typeof timeout === 'string' && /^(\d{1,8})([HMSmun])$/.exec(timeout)) || [];
  return unit === undefined ? 0 : Number(count) * MS_OF[unit]!;
}

/** What one message with its prefix holds; null for anything else. */
function messageIn(received: Buffer): Buffer | null {
  if (received.length < PREFIX || received[0] !== 0) return null;
  return received.readUInt32BE(1) === received.length - PREFIX ? received.subarray(PREFIX) : null;
}

const HEADERS = { ':status': 200, 'content-type': CONTENT_TYPE } as const;
const TRAILERS = { 'grpc-status': '0' } as const;
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false } as const;

function respond(stream: ServerHttp2Stream, answer: Answer): void {
  if (isOver(stream)) return; // Envoy has given up
  const framed = frameOf(answer);
  stream.respond(HEADERS, WITH_TRAILERS);
  stream.on('wantTrailers', sendTrailers);
  stream.end(framed);
}

function isOver({ destroyed, closed, headersSent }: ServerHttp2Stream): boolean {
  return destroyed || closed || headersSent;
}

function sendTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(TRAILERS);
}
