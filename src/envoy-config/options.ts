import { isIP, isIPv4 } from 'node:net';
import { AccessError } from '../domain/errors.js';
import type { ResourceName } from '../domain/names.js';
import type { Resource } from '../domain/resource.js';
import type { Duration } from '../domain/time.js';
import { HTTP_LISTENER, tcpListener } from './names.js';

/** Everything that is written into Envoy's configuration besides the resources. Paths are as Envoy will find them. */
export interface EnvoyOptions {
  /** IP address that the listeners bind. */
  readonly address: string;
  /** Of the one listener for all HTTP resources. */
  readonly httpPort: number;
  /** Envoy's own admin endpoint: whoever reaches it controls Envoy, so loopback or a Unix socket only. */
  readonly admin: AdminAddress;
  /** What Envoy shows to clients. */
  readonly server: { readonly cert: string; readonly key: string };
  /** File with the CA certificates of all trust entries. */
  readonly clientCa: string;
  readonly accessLog: string;
  readonly authz: ServiceTarget;
  /** Where the session guards in Envoy keep contact with the service. */
  readonly guard: ServiceTarget;
  /** The session guard, compiled, as Envoy will find it. */
  readonly guardWasm: string;
  /** Name of the internal listener whose identity headers the service believes (`gate` in its configuration). */
  readonly gate: string;
  /** Folder in which Envoy looks for the files written here. */
  readonly folder: string;
  /** No stream or connection lives longer, whatever was granted. Not below the longest grant that a policy gives. */
  readonly maxSession: Duration;
  /** How long connections may wait for an approval, of the resources that they may wait for. */
  readonly holds?: ReadonlyMap<ResourceName, Duration>;
}

type AdminAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** A listener of the service, as Envoy reaches it. Over TCP both sides show certificates. */
export type ServiceTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: ClientTls };

export interface ClientTls {
  /** CA of the service's certificate. */
  readonly ca: string;
  /** What Envoy shows to the service. */
  readonly cert: string;
  readonly key: string;
  /** The name that the service's certificate must carry: `spiffe://…`, an IP address or a DNS name. */
  readonly name: string;
}

/**
 * What would open or break something beyond one resource is refused before a byte is written.
 *
 * @throws {AccessError} `invalid_request`
 */
export function checkOptions(options: EnvoyOptions, resources: readonly Resource[]): void {
  const { address, admin, gate, maxSession } = options;
  if (!isIP(address)) refuse('an IP address for the listeners', address);
  if (admin.kind === 'tcp' && !isLoopback(admin.host)) refuse('a loopback address for the admin endpoint', admin.host);
  if (!Number.isSafeInteger(maxSession) || maxSession < 1_000)
    refuse('a longest session of at least a second', maxSession);
  const names = new Set<string>([HTTP_LISTENER, ...resources.map(({ name }) => tcpListener(name))]);
  if (!GATE_NAME.test(gate) || names.has(gate)) refuse('a name for the gate that no other listener has', gate);
  checkPorts(options, resources);
}

/** As the service's configuration allows it. */
const GATE_NAME = /^[\x21-\x7e]{1,128}$/;

function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function checkPorts({ httpPort, admin }: EnvoyOptions, resources: readonly Resource[]): void {
  const wanted: (readonly [string, number])[] = [
    ...(admin.kind === 'tcp' ? [['the admin endpoint', admin.port] as const] : []),
    ...(resources.some(({ http }) => http) ? [['the HTTP listener', httpPort] as const] : []),
    ...resources.flatMap(({ name, tcp }) => (tcp ? [[`resource ${JSON.stringify(name)}`, tcp.port] as const] : [])),
  ];
  const taken = new Map<number, string>();
  for (const [who, port] of wanted) {
    const other = taken.get(port);
    if (other) refuse(`a port for ${who} that ${other} does not have`, port);
    taken.set(port, who);
  }
}

function refuse(wanted: string, got: unknown): never {
  throw new AccessError('invalid_request', `expected ${wanted}, got ${JSON.stringify(got)}`);
}
