import { createServer, isIPv4, type AddressInfo, type Socket } from 'node:net';
import { parseHostPort, printHostPort, type HostPort } from '../../policy/host-port.js';
import { systemReason } from '../../policy/system-reason.js';
import { usageError } from '../failure.js';
import type { NearEnd } from './carry.js';

/** A port on this machine that takes connections. */
export interface LocalPort {
  readonly at: HostPort;
  /** Takes no more; those that are open go on. */
  readonly close: () => void;
}

/**
 * Reads where to listen. Loopback only: whoever reaches the port has the access.
 *
 * @throws {Failure}
 */
export function parseListen(text: string): HostPort {
  const at = parseHostPort(text);
  if (!at) throw usageError(`--listen: expected 127.0.0.1:PORT, got ${JSON.stringify(text)}`);
  if (isLoopback(at.host)) return at;
  throw usageError(
    `--listen: expected an address on loopback, got ${JSON.stringify(text)}`,
    'whoever reaches the port has your access: others ask for their own',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Listens. Each connection waits unread until its session has begun.
 *
 * @throws {Failure} when the port cannot be had
 */
export function openLocalPort(wanted: HostPort, accept: (near: NearEnd) => void): Promise<LocalPort> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    // What a client breaks is its own affair; the session notices.
    socket.on('error', () => undefined);
    accept(nearEndOf(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        usageError(`--listen: cannot listen on ${printHostPort(wanted)}: ${systemReason(error)}`, 'port 0 takes any'),
      ),
    );
    server.listen(wanted.port, wanted.host, () => {
      const { address, port } = server.address() as AddressInfo;
      resolve({ at: { host: address, port }, close: () => void server.close() });
    });
  });
}

function nearEndOf(socket: Socket): NearEnd {
  return { readable: socket, writable: socket, reset: () => void socket.resetAndDestroy() };
}
