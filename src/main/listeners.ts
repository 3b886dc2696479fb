import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Listener as AuthzListener } from '../authz/server.js';
import { printAddress } from '../config/address.js';
import type { Address, Listener, Tls } from '../config/structure.js';
import { StartError } from './start-error.js';
import { freeSocketPath } from './unix-socket.js';

/** Listeners as their servers take them. */
export async function authzListener({ address, tls }: Listener): Promise<AuthzListener> {
  await prepare(address);
  const target = printAddress(address);
  if (tls === null) return { target, credentials: ServerCredentials.createInsecure() };
  const pair = { cert_chain: readFileSync(tls.cert), private_key: readFileSync(tls.key) };
  return { target, credentials: ServerCredentials.createSsl(caOf(tls), [pair], true), peers: tls.names };
}

/**
 * Makes the folder of a Unix socket and frees its path.
 *
 * @throws {StartError} when there is no such folder and none can be made
 */
export async function prepare(address: Address): Promise<void> {
  if (address.kind === 'tcp') return;
  try {
    mkdirSync(dirname(address.path), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new StartError(
      [`${printAddress(address)}: the folder of the socket cannot be made (${code}); make it, or choose another path`],
      { cause },
    );
  }
  await freeSocketPath(address.path);
}

/** Envoy may run as another user of the same group; the admin socket is its owner's alone. */
export function protect(address: Address, mode: 0o600 | 0o660): void {
  if (address.kind === 'unix') chmodSync(address.path, mode);
}

export function listenOptions(address: Address): { path: string } | { host: string; port: number } {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
}

/** @throws {StartError} for an address that is taken or cannot be had */
export async function listening<T>(setting: string, address: Address, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code =
      (error as NodeJS.ErrnoException).code ?? (/EADDRINUSE|EACCES|EADDRNOTAVAIL/.exec(String(error)) ?? [])[0];
    throw new StartError(
      [`${setting}: cannot listen on ${printAddress(address)}: ${ADVICE[code ?? ''] ?? String(error)}`],
      { cause: error },
    );
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; stop what listens there or choose another one',
  EACCES: 'permission denied; choose a port above 1023 or a folder you may write to',
  EADDRNOTAVAIL: 'this machine has no such address; choose one it has',
};

function caOf({ ca }: Tls): Buffer | null {
  return ca === null ? null : readFileSync(ca);
}
