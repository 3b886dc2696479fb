import { connect, type TLSSocket } from 'node:tls';
import { until } from '../child/process.js';
import type { CutsHome } from './home.js';

/** A raw TCP session as its client has it. */
export interface TcpClient {
  readonly socket: TLSSocket;
  /** Its number at the upstream. */
  readonly connection: number;
  /** Bytes that the client has read. */
  readonly received: () => number;
  readonly isClosed: () => boolean;
}

const PATIENCE_MS = 20_000;

/** Where somebody connects, and as whom. */
export interface Door {
  readonly home: CutsHome;
  readonly port: number;
  readonly user: number;
}

/** mTLS as user number k, with nothing above it. */
export function dial({ home, port, user }: Door): TLSSocket {
  const { pem: cert, keyPem: key } = home.credentialOf(user);
  const socket = connect({ host: '127.0.0.1', port, ca: home.ca.pem, cert, key, servername: 'localhost' });
  socket.on('error', () => undefined);
  return socket;
}

/**
 * Opens a session and waits until the upstream has said its number. `first` is what the client says, where it has to.
 *
 * @throws {Error} when it is refused
 */
export async function openClient(door: Door, first = ''): Promise<TcpClient> {
  const socket = dial(door);
  let text = '';
  let received = 0;
  let isClosed = false;
  socket.once('close', () => (isClosed = true));
  if (first !== '') socket.write(first);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`user ${door.user} heard nothing`)), PATIENCE_MS);
    socket.once('close', () => reject(new Error(`user ${door.user} was refused`)));
    socket.on('data', (data: Buffer) => {
      received += data.length;
      if (text.includes('\n')) return;
      text += data.toString('latin1');
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  const connection = Number(/^\d+/.exec(text)![0]);
  return { socket, connection, received: () => received, isClosed: () => isClosed };
}

/** Opens one for each of so many users, some at a time. A check that came too late for a busy machine is tried again. */
export async function openMany(doors: readonly Door[], first = '', atOnce = 40): Promise<TcpClient[]> {
  const clients: TcpClient[] = [];
  let next = 0;
  const inTurn = async () => {
    while (next < doors.length) {
      const n = next++;
      clients[n] = await again(() => openClient(doors[n]!, first));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
  return clients;
}

const TRIES = 5;

async function again<T>(act: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await act();
    } catch (error) {
      if (n === TRIES) throw error;
      await pause(200);
    }
  }
}

/** So many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Until a number is known. */
export async function known(look: () => number | undefined, what: string, patienceMs = PATIENCE_MS): Promise<number> {
  await until(() => look() !== undefined, what, patienceMs);
  return look()!;
}
