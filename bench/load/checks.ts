import { connect, type Socket } from 'node:net';
import { CHECK_HEADERS, CHECK_PATH, grpcFramed } from '../scene/check-bytes.js';
import { verdictOf, type Verdict } from './check-answer.js';
import type { Headers } from './frames.js';
import { Http2Connection } from './http2.js';

const HEADERS: Headers = [
  [':method', 'POST'],
  [':path', CHECK_PATH],
  [':authority', 'portcullis-authz'],
  [':scheme', 'http'],
  ...CHECK_HEADERS,
];

/** A connection that asks checks, as Envoy does. */
export interface CheckConnection {
  /** Sends one check now; `framed` is what `framedCheck` gives. */
  ask(framed: Buffer, answered: (verdict: Verdict) => void): void;
  close(): void;
}

export const framedCheck = grpcFramed;

/** Connects to the Unix socket of a service. A connection that is lost later ends the benchmark. */
export async function openChecks(socketPath: string): Promise<CheckConnection> {
  return checksOn(await connected(socketPath), (cause) => {
    throw cause;
  });
}

/** Checks on a socket that is connected. */
export function checksOn(socket: Socket, onLost: (cause: Error) => void): CheckConnection {
  const connection = new Http2Connection(socket, HEADERS, onLost);
  return {
    ask: (framed, answered) => connection.ask(framed, (body) => answered(verdictOf(body))),
    close: () => connection.close(),
  };
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One check and its answer. */
export async function askOnce(socketPath: string, message: Buffer): Promise<Verdict> {
  const connection = await openChecks(socketPath);
  try {
    return await new Promise((resolve) => connection.ask(framedCheck(message), resolve));
  } finally {
    connection.close();
  }
}
