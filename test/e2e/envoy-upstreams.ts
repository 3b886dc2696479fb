import { createServer as createHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';

/** What reached an HTTP upstream. */
interface Arrived {
  readonly method: string;
  readonly path: string;
  /** As sent: names and values in turn. */
  readonly rawHeaders: readonly string[];
}

export interface HttpUpstream {
  readonly port: number;
  readonly arrived: Arrived[];
  close(): Promise<void>;
}

/**
 * HTTP/1.1. `/stream` is a body without end, one `tick` every 20 ms; an upgrade becomes an echo; everything else is
 * answered with what has arrived.
 */
export async function httpUpstream(port = 0): Promise<HttpUpstream> {
  const arrived: Arrived[] = [];
  const note = ({ method, url, rawHeaders }: IncomingMessage) =>
    arrived.push({ method: method!, path: url!, rawHeaders });
  const server = createHttp({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    note(request);
    if (request.url === '/stream') {
      const timer = setInterval(() => response.write('tick\n'), 20);
      response.on('close', () => clearInterval(timer));
    } else response.end(JSON.stringify({ path: request.url, headers: request.headers }));
  });
  server.on('upgrade', (request, socket) => {
    note(request);
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  return { port: await listening(server, port), arrived, close: () => closed(server) };
}

/** gRPC as far as Envoy sees it: HTTP/2 without TLS, status in the trailers. */
export async function grpcUpstream(): Promise<{
  readonly port: number;
  readonly arrived: IncomingHttpHeaders[];
  close(): Promise<void>;
}> {
  const arrived: IncomingHttpHeaders[] = [];
  const server = createHttp2();
  server.on('stream', (stream, headers) => {
    arrived.push(headers);
    stream.on('trailers', (trailers) => arrived.push(trailers));
    stream.resume();
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.of(0, 0, 0, 0, 0));
  });
  return { port: await listening(server, 0), arrived, close: () => closed(server) };
}

export interface TcpUpstream {
  readonly port: number;
  /** How often somebody has connected. */
  accepts(): number;
  /** Connections that are open now. */
  open(): number;
  close(): Promise<void>;
}

/** A server that speaks first, as MySQL and SMTP do, and then echoes. */
export function tcpUpstream(port = 0): Promise<TcpUpstream> {
  return serveTcp(port, (socket) => {
    socket.write('220 banner\n');
    socket.pipe(socket);
  });
}

/** A server that sends as much as anybody takes. */
export function floodUpstream(): Promise<TcpUpstream> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return serveTcp(0, (socket) => {
    const more = () => {
      // One piece at a time, so that others get their turn.
      if (socket.writable && socket.write(chunk)) setImmediate(more);
    };
    socket.on('drain', more);
    more();
  });
}

async function serveTcp(port: number, act: (socket: Socket) => void): Promise<TcpUpstream> {
  const sockets = new Set<Socket>();
  let accepts = 0;
  const server = createTcp((socket) => {
    accepts += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    act(socket);
  });
  const bound = await listening(server, port);
  return { port: bound, accepts: () => accepts, open: () => sockets.size, close: () => closed(server, sockets) };
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: Server, sockets: Iterable<Socket> = []): Promise<void> {
  for (const socket of sockets) socket.destroy();
  (server as { closeAllConnections?: () => void }).closeAllConnections?.();
  return new Promise((resolve) => server.close(() => resolve()));
}
