import { isIP } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Way } from './way.js';

/** Milliseconds for everything up to the end of the handshake. */
const PATIENCE_MS = 10_000;

/** A connection into nothing is noticed after a while; Envoy itself lets sessions rest for long. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Opens one connection to Envoy, with certificates on both sides. Either side of it may end before the other.
 *
 * @throws {Error} when nobody answers, or somebody else than expected
 */
export function dial({ host, port, name, ca, cert, key }: Way): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      host,
      port,
      cert,
      key,
      ...(ca !== undefined && { ca }),
      // Addresses are no names to ask for.
      servername: isIP(name) ? '' : name,
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      minVersion: 'TLSv1.2',
      allowHalfOpen: true,
    };
    const socket = connect(options);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const late = setTimeout(() => socket.destroy(codedError('ETIMEDOUT')), PATIENCE_MS);
    const failed = (error: Error) => {
      clearTimeout(late);
      reject(error);
    };
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      clearTimeout(late);
      socket.removeListener('error', failed);
      resolve(socket);
    });
  });
}

function codedError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
