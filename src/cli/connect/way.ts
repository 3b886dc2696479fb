import { readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { parseHostPort, printHostPort, type HostPort } from '../../policy/host-port.js';
import { systemReason } from '../../policy/system-reason.js';
import type { Connection } from '../connection/connection.js';
import { assertCa } from '../connection/pem.js';
import type { Named } from '../connection/settle.js';
import { usageError } from '../failure.js';
import type { Environment, Shell } from '../shell.js';

/** How to reach Envoy, and as whom. */
export interface Way extends HostPort {
  /** The name that Envoy's certificate must carry; sent as SNI where it is a host name. */
  readonly name: string;
  /** PEM texts; without a CA the system's count. */
  readonly ca?: string;
  readonly cert: string;
  readonly key: string;
}

/** What was said about Envoy, before the resource is known; null: the service may know. */
export interface Via extends Omit<Way, 'host' | 'port' | 'name'> {
  readonly host: string | null;
  readonly port: number | null;
  readonly name: string | null;
}

/** Flags about Envoy; each is also a variable, `PORTCULLIS_VIA` and so on, and may be a key of a context. */
export interface ViaFlags {
  readonly via?: string;
  readonly viaName?: string;
  readonly viaCa?: string;
}

const VARIABLES = { via: 'PORTCULLIS_VIA', viaName: 'PORTCULLIS_VIA_NAME', viaCa: 'PORTCULLIS_VIA_CA' } as const;
/** A connection, with what its context says about Envoy; paths are absolute. */
export type ConnectionWithVia = Connection & { readonly via?: Readonly<Partial<Record<keyof ViaFlags, Named>>> };

const OPTIONS = { via: '--via', viaName: '--via-name', viaCa: '--via-ca' } as const;

/**
 * Where Envoy is, and with what it is talked to.
 *
 * @throws {Failure} for what is missing or has no single meaning
 */
export function openVia(flags: ViaFlags, connection: ConnectionWithVia, { env, cwd }: Pick<Shell, 'env' | 'cwd'>): Via {
  const said = (key: keyof ViaFlags) => settled(key, flags, env) ?? connection.via?.[key] ?? null;
  const { host, port } = placeOf(said('via'));
  const { cert, key, ca } = connection.tls;
  if (cert === undefined || key === undefined)
    throw usageError(
      'Envoy asks for a client certificate, and none is given',
      'give --cert and --key, also beside a token',
    );
  const named = said('viaName');
  const other = caOf(said('viaCa'), cwd);
  return { host, port, cert, key, name: named && nameOf(named), ...((other ?? ca) && { ca: other ?? ca! }) };
}

/** For messages: `Envoy at gate.corp.example:15432`. */
export function printWay(way: HostPort): string {
  return `Envoy at ${printHostPort(way)}`;
}

/** A flag beats a variable; an empty variable says nothing. */
function settled(key: keyof ViaFlags, flags: ViaFlags, env: Environment): Named | null {
  if (flags[key] !== undefined) return { name: OPTIONS[key], value: flags[key] };
  const value = env[VARIABLES[key]];
  return value === undefined || value === '' ? null : { name: VARIABLES[key], value };
}

function placeOf(via: Named | null): { host: string | null; port: number | null } {
  if (!via) return { host: null, port: null };
  const given = parseHostPort(via.value);
  if (given && given.port !== 0) return given;
  const bare = parseHostPort(`${isIPv6(via.value) ? `[${via.value}]` : via.value}:1`);
  if (bare) return { host: bare.host, port: null };
  throw usageError(`${via.name}: expected HOST or HOST:PORT, got ${JSON.stringify(via.value)}`);
}

function nameOf({ name, value }: Named): string {
  if (isIP(value) || parseHostPort(`${value}:1`)) return value.toLowerCase();
  throw usageError(`${name}: expected a host name or an IP address, got ${JSON.stringify(value)}`);
}

function caOf(file: Named | null, cwd: string): string | null {
  if (!file) return null;
  const named = { ...file, value: resolve(cwd, file.value) };
  try {
    const text = readFileSync(named.value, 'utf8');
    assertCa({ ...named, text });
    return text;
  } catch (error) {
    if (error instanceof Error && error.name === 'Failure') throw error;
    throw usageError(`${named.name}: cannot read ${JSON.stringify(named.value)}: ${systemReason(error)}`);
  }
}
