import { isIPv4 } from 'node:net';
import { usageError } from '../failure.js';
import { NEEDS_TLS } from '../api/needs-tls.js';
import type { ConnectionKey, Layer } from './layers.js';

/** How to reach the service, and as whom; the files not read yet. */
export interface Settled {
  readonly target: { readonly kind: 'url'; readonly url: URL } | { readonly kind: 'socket'; readonly path: string };
  readonly pair: { readonly cert: Named; readonly key: Named } | null;
  readonly ca: Named | null;
  readonly token: ({ readonly kind: 'file' } & Named) | { readonly kind: 'text'; readonly value: string } | null;
}

/** A value, and what its source calls it. */
export interface Named {
  readonly name: string;
  readonly value: string;
}

const DEFAULT_URL = 'https://127.0.0.1:8180';

/**
 * Settles what the layers say, nearest first. For each setting the nearest layer decides. Of the two ways to the service
 * (URL, socket) and the two kinds of credentials (certificate, token) one that is given nearer replaces the other: what
 * a person types now is not mixed with what a file says for another occasion.
 *
 * @throws {Failure} for what has no single meaning
 */
export function settle(layers: readonly Layer[]): Settled {
  const target = targetOf(layers);
  if (target.kind === 'socket') return { target, pair: null, ca: null, token: null };
  const pairAt = Math.min(levelOf(layers, 'cert'), levelOf(layers, 'key'));
  const tokenAt = Math.min(levelOf(layers, 'tokenFile'), levelOf(layers, 'token'));
  const settled = {
    target,
    pair: pairAt <= tokenAt ? pairOf(layers) : null,
    ca: find(layers, 'ca'),
    token: tokenAt <= pairAt ? tokenOf(layers) : null,
  };
  assertCarries(settled);
  return settled;
}

function targetOf(layers: readonly Layer[]): Settled['target'] {
  const url = levelOf(layers, 'url');
  const socket = levelOf(layers, 'adminSocket');
  if (url === socket && url < layers.length) throw bothGiven(layers[url]!, 'url', 'adminSocket');
  for (const key of ['cert', 'key', 'tokenFile', 'token'] as const) {
    // Whoever opens the socket is the host; that a person calls is not what the service would see.
    if (socket < layers.length && levelOf(layers, key) === socket) throw bothGiven(layers[socket]!, 'adminSocket', key);
  }
  if (socket < url) return { kind: 'socket', path: layers[socket]!.values.adminSocket! };
  return { kind: 'url', url: parseOrigin(find(layers, 'url') ?? { name: 'the default', value: DEFAULT_URL }) };
}

function pairOf(layers: readonly Layer[]): Settled['pair'] {
  const cert = find(layers, 'cert');
  const key = find(layers, 'key');
  if (cert && key) return { cert, key };
  if (!cert && !key) return null;
  const [given, missing] = cert ? [cert.name, 'key'] : [key!.name, 'cert'];
  throw usageError(`${given} is of no use alone`, `give the other half of the pair with --${missing}`);
}

function tokenOf(layers: readonly Layer[]): Settled['token'] {
  const file = levelOf(layers, 'tokenFile');
  const text = levelOf(layers, 'token');
  if (file === text && file < layers.length) throw bothGiven(layers[file]!, 'tokenFile', 'token');
  if (text < file) return { kind: 'text', value: layers[text]!.values.token! };
  const found = find(layers, 'tokenFile');
  return found && { kind: 'file', ...found };
}

/**
 * An address of the service. Without TLS only on this machine: anybody on the way could read the token and answer in the
 * name of the service.
 */
function parseOrigin({ name, value }: Named): URL {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isOrigin = url !== null && url.username === '' && url.password === '' && url.pathname === '/';
  if (!isOrigin || url.search !== '' || url.hash !== '' || !/^https?:$/.test(url.protocol))
    throw usageError(`${name}: expected an address such as ${DEFAULT_URL}, got ${JSON.stringify(value)}`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw usageError(
      `${name}: expected https, got ${JSON.stringify(value)}`,
      'http is for a service on this machine only (127.0.0.1, ::1 or localhost)',
    );
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

/** A certificate needs TLS. Leaving it out silently would be a call by somebody else than the caller believes. */
function assertCarries({ target, pair, token }: Settled): void {
  if (target.kind === 'url' && target.url.protocol === 'http:' && pair && !token)
    throw usageError(
      `${pair.cert.name}: a client certificate needs https, and the address is ${target.url.origin}`,
      `give an https address with --url; if the service has none: ${NEEDS_TLS}`,
    );
}

function bothGiven(layer: Layer, one: ConnectionKey | 'token', other: ConnectionKey | 'token') {
  return usageError(`${layer.nameOf(one)} and ${layer.nameOf(other)} exclude each other`, 'give one of them');
}

function find(layers: readonly Layer[], key: ConnectionKey): Named | null {
  const layer = layers[levelOf(layers, key)];
  return layer ? { name: layer.nameOf(key), value: layer.values[key]! } : null;
}

/** The place of the nearest layer that says something about it; beyond the last when none does. */
function levelOf(layers: readonly Layer[], key: ConnectionKey | 'token'): number {
  const level = layers.findIndex(({ values }) => values[key] !== undefined);
  return level < 0 ? layers.length : level;
}
