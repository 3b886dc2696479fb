import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { parseHostPort, printHostPort } from '../policy/host-port.js';
import type { Address } from './structure.js';

/** Reads `unix:PATH` (relative to `base`) or `host:port`; null when it is neither. */
export function parseAddress(text: string, base: string): Address | null {
  // A leading @ would be a socket without a file, which file permissions do not protect.
  const [, path] = /^unix:([^@\0][^\0]*)$/.exec(text) ?? [];
  if (path !== undefined) return { kind: 'unix', path: resolve(base, path) };
  const address = parseHostPort(text);
  return address && { kind: 'tcp', ...address };
}

export function printAddress(address: Address): string {
  return address.kind === 'unix' ? `unix:${address.path}` : printHostPort(address);
}

/** Whether only this machine can reach it. */
export function isLocal(address: Address): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether only one of the two can listen. */
export function collide(a: Address, b: Address): boolean {
  if (a.kind === 'unix' || b.kind === 'unix')
    return a.kind === b.kind && 'path' in a && 'path' in b && a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
