import { readFileSync } from 'node:fs';
import { systemReason } from '../../policy/system-reason.js';
import { usageError } from '../failure.js';
import type { Shell } from '../shell.js';
import { contextLayer } from './context-file.js';
import { environmentLayer, flagLayer, VIA_KEYS, type ConnectionKey, type Layer, type ViaKey } from './layers.js';
import { assertCa, assertPair } from './pem.js';
import { settle, type Named, type Settled } from './settle.js';

/** How to reach the service, with everything at hand that a call needs. */
export interface Connection {
  readonly target: Settled['target'];
  /** PEM texts. */
  readonly tls: { readonly cert?: string; readonly key?: string; readonly ca?: string };
  readonly token: string | null;
  /** What the context says about Envoy, for `connect`; paths are absolute. */
  readonly via?: Readonly<Partial<Record<ViaKey, Named>>>;
}

/** Connection settings as flags gave them. */
export type ConnectionFlags = Readonly<Partial<Record<ConnectionKey | 'context', string>>>;

/**
 * A flag beats a variable, a variable the context, the context the default.
 *
 * @throws {Failure} for settings without a single meaning and for files that cannot be read
 */
export async function openConnection(
  { context: named, ...flags }: ConnectionFlags,
  { env, cwd }: Pick<Shell, 'env' | 'cwd'>,
): Promise<Connection> {
  const context = named ?? (env['PORTCULLIS_CONTEXT'] || undefined);
  const layers = [flagLayer(flags, cwd), environmentLayer(env, cwd)];
  if (context !== undefined) layers.push(await contextLayer(context, env, cwd));
  const { target, pair, ca, token } = settle(layers);
  return {
    target,
    tls: { ...(pair && readPair(pair)), ...(ca && { ca: readCa(ca) }) },
    token: token && tokenOf(token),
    via: viaOf(layers),
  };
}

function viaOf(layers: readonly Layer[]): NonNullable<Connection['via']> {
  const found = VIA_KEYS.flatMap((key) => {
    const layer = layers.find(({ values }) => values[key] !== undefined);
    return layer ? [[key, { name: layer.nameOf(key), value: layer.values[key]! }] as const] : [];
  });
  return Object.fromEntries(found);
}

function readPair(pair: NonNullable<Settled['pair']>): { cert: string; key: string } {
  const [cert, key] = [read(pair.cert), read(pair.key)];
  assertPair({ ...pair.cert, text: cert }, { ...pair.key, text: key });
  return { cert, key };
}

function readCa(ca: Named): string {
  const text = read(ca);
  assertCa({ ...ca, text });
  return text;
}

function read({ name, value }: Named): string {
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    throw usageError(`${name}: cannot read ${JSON.stringify(value)}: ${systemReason(error)}`);
  }
}

/** The messages never quote it. */
function tokenOf(token: NonNullable<Settled['token']>): string {
  const text = (token.kind === 'file' ? read(token) : token.value).trim();
  if (/^[A-Za-z0-9._~+/=-]{1,512}$/.test(text)) return text;
  const where = token.kind === 'file' ? JSON.stringify(token.value) : 'PORTCULLIS_TOKEN';
  throw usageError(`${where} holds no token`, 'portcullis token create makes one and prints it once');
}
