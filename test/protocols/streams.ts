import { request as httpsRequest } from 'node:https';
import { constants } from 'node:http2';
import { Client, credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { openHttp2, openWebSocket, type Peer } from '../e2e/clients.js';
import { startGrpc, WATCH } from './upstreams/grpc.js';
import { startHttp } from './upstreams/http.js';
import type { StreamingUpstream } from './upstreams/upstream.js';
import { startWebSocket } from './upstreams/websocket.js';

/** A stream as its client sees it. */
interface OpenStream {
  /** How many ticks have come. */
  ticks(): number;
  /** Resolves at its end, with everything that says how: status, reset code, body of a refusal. */
  readonly ended: Promise<string>;
  /** The client has had enough. */
  close(): void;
}

/** One kind of stream, with a server and a client of ours. */
export interface StreamKind {
  readonly name: string;
  /** Resource; its authority is `NAME.internal`. */
  readonly resource: string;
  readonly start: () => Promise<StreamingUpstream>;
  /** `authority` as Envoy routes by it. */
  readonly open: (peer: Peer, authority: string) => OpenStream;
  /** What the client sees of a refusal for this reason. */
  readonly refused: (reason: string) => RegExp;
}

/** What goes through the HTTP listener. */
export const STREAMS: readonly StreamKind[] = [
  {
    name: 'HTTP/1.1 streaming response',
    resource: 'http1',
    start: startHttp,
    open: http1Stream,
    refused: (reason) => new RegExp(`^status 403 .*${reason}`, 's'),
  },
  {
    name: 'HTTP/2 streaming response',
    resource: 'http2',
    start: startHttp,
    open: http2Stream,
    refused: (reason) => new RegExp(`^status 403 .*${reason}`, 's'),
  },
  {
    name: 'WebSocket',
    resource: 'websocket',
    start: startWebSocket,
    open: webSocketStream,
    refused: (reason) => new RegExp(`^HTTP/1.1 403 .*${reason}`, 's'),
  },
  {
    name: 'gRPC streaming call',
    resource: 'grpc',
    start: startGrpc,
    open: grpcStream,
    refused: (reason) => new RegExp(`^grpc-status 7 .*${reason}`, 's'),
  },
];

function http1Stream({ port, ca, credential }: Peer, authority: string): OpenStream {
  let status = 0;
  let text = '';
  const own = { cert: credential!.pem, key: credential!.keyPem, servername: 'localhost', agent: false };
  const request = httpsRequest({ host: '127.0.0.1', port, ca, ...own, headers: { host: authority } });
  const ended = new Promise<string>((resolve) => {
    const over = (how: string) => resolve(`status ${status} ${how} ${status === 200 ? '' : text}`);
    request.on('response', (response) => {
      status = response.statusCode!;
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => over('end'));
      response.on('error', (error: NodeJS.ErrnoException) => over(`broken ${error.code ?? error.message}`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => over(`broken ${error.code ?? error.message}`));
  });
  request.end();
  return { ticks: () => count(text, 'tick\n'), ended, close: () => void request.destroy() };
}

function http2Stream(peer: Peer, authority: string): OpenStream {
  const session = openHttp2(peer);
  const stream = session.request({ ':authority': authority, ':path': '/' });
  let status = 0;
  let text = '';
  stream.on('response', (headers) => (status = Number(headers[':status'])));
  stream.on('data', (data: Buffer) => (text += data.toString()));
  stream.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    stream.on('close', () => {
      session.close();
      resolve(`status ${status} reset ${stream.rstCode} ${status === 200 ? '' : text}`);
    });
  });
  return { ticks: () => count(text, 'tick\n'), ended, close: () => stream.close(constants.NGHTTP2_CANCEL) };
}

function webSocketStream(peer: Peer, authority: string): OpenStream {
  const connection = openWebSocket(peer, authority);
  const { closed, socket } = connection;
  const received = () => connection.received();
  // A refusal leaves the connection open for the next request.
  socket.on('data', () => void (/^HTTP\/1.1 (?!101)/.test(received()) && socket.end()));
  const ended = closed.then((error) => `${received().slice(0, 2_000)} ${error ?? 'end'}`);
  return { ticks: () => count(received(), 'tick'), ended, close: () => void socket.destroy() };
}

function grpcStream({ port, ca, credential }: Peer, authority: string): OpenStream {
  const own = credentials.createSsl(Buffer.from(ca), Buffer.from(credential!.keyPem), Buffer.from(credential!.pem));
  const client = new Client(`localhost:${port}`, own, {
    'grpc.default_authority': authority,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'localhost',
  });
  const same = (bytes: Buffer) => bytes;
  const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(WATCH, same, same, Buffer.alloc(0));
  let ticks = 0;
  call.on('data', () => (ticks += 1));
  call.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    call.on('status', ({ code, details }) => {
      client.close();
      resolve(`grpc-status ${code} ${details}`);
    });
  });
  return { ticks: () => ticks, ended, close: () => call.cancel() };
}

function count(text: string, word: string): number {
  return text.split(word).length - 1;
}
