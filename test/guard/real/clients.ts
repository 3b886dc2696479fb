import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';

/** Something that runs through Envoy, as its client sees it. */
export interface Live {
  received(): string;
  /** Moment of its end, by `performance.now()`; undefined: it goes on. */
  endedAt(): number | undefined;
  write(text: string): void;
  /** Stops or goes on reading. */
  read(isReading: boolean): void;
  close(): void;
}

const headersOf = (grant: string) => ({ 'x-grant': grant });

/** A streaming answer over HTTP/1.1. */
export function stream1(port: number, grant: string, path = '/stream'): Live {
  const request = httpRequest({ port, host: '127.0.0.1', path, agent: false, headers: headersOf(grant) });
  let response: IncomingMessage | undefined;
  const live = liveOf(() => request.destroy());
  request.on('response', (got) => {
    response = got;
    got.on('data', live.take).on('error', live.end).on('close', live.end);
  });
  request.on('error', live.end).end();
  return { ...live, read: (isReading) => (isReading ? response?.resume() : response?.pause()), write: () => undefined };
}

/** One stream of an HTTP/2 connection. */
export function stream2(session: ClientHttp2Session, grant: string, path = '/stream'): Live {
  const stream = session.request({ ':path': path, ...headersOf(grant) });
  const live = liveOf(() => stream.close());
  stream.on('data', live.take).on('error', live.end).on('close', live.end);
  return { ...live, read: (on) => (on ? stream.resume() : stream.pause()), write: () => undefined };
}

export function openHttp2(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  return session;
}

/** An upgraded connection whose upstream echoes. */
export function webSocket(port: number, grant: string): Live {
  const headers = { ...headersOf(grant), connection: 'upgrade', upgrade: 'websocket' };
  const request = httpRequest({ port, host: '127.0.0.1', path: '/echo', agent: false, headers });
  let socket: Socket | undefined;
  const live = liveOf(() => (socket ?? request).destroy());
  request.on('upgrade', (_response, upgraded) => {
    socket = upgraded;
    upgraded.on('data', live.take).on('error', live.end).on('close', live.end);
    live.take('upgraded\n');
  });
  request.on('response', (got) => got.resume().on('close', live.end));
  request.on('error', live.end).end();
  return { ...live, read: () => undefined, write: (text) => socket?.write(text) };
}

/** Raw TCP. */
export function tcp(port: number): Live {
  const socket = connectTcp(port, '127.0.0.1');
  const live = liveOf(() => socket.destroy());
  socket.on('data', live.take).on('error', live.end).on('close', live.end);
  return { ...live, read: (on) => (on ? socket.resume() : socket.pause()), write: (text) => socket.write(text) };
}

function liveOf(close: () => void) {
  let text = '';
  let endedAt: number | undefined;
  return {
    received: () => text,
    endedAt: () => endedAt,
    take: (data: Buffer | string) => {
      text = (text + data.toString()).slice(-100_000);
    },
    end: () => {
      endedAt ??= performance.now();
    },
    close,
  };
}
