import type { Config } from '../../config.js';
import { HARD_CEILING } from '../../domain/durations.js';
import type { PolicySet } from '../../domain/policy.js';
import type { Duration } from '../../domain/time.js';
import type { AuthzTarget, EnvoyOptions } from '../../envoy-config/options.js';
import { parseHostPort } from '../../policy/host-port.js';
import { usageError } from '../failure.js';

/** What flags say about Envoy besides the configuration. Paths are Envoy's, so they are taken as they are. */
export interface EnvoyFlags {
  readonly folder?: string;
  readonly clientCa?: string;
  readonly authz?: string;
  readonly authzCa?: string;
  readonly authzCert?: string;
  readonly authzKey?: string;
  readonly authzName?: string;
}

/**
 * What Envoy's configuration needs to know, from the service's.
 *
 * @throws {Failure} for what is missing
 */
export function envoyOptions(
  config: Config,
  policies: PolicySet,
  flags: EnvoyFlags & { readonly folder: string },
): EnvoyOptions {
  const { address, httpPort, admin, tls, accessLog } = config.envoy;
  if (tls === null)
    throw usageError('envoy.tls is not set', 'set envoy.tls to { cert, key }: what Envoy shows to clients');
  return {
    address,
    httpPort,
    admin,
    accessLog,
    server: tls,
    clientCa: clientCaOf(config, flags),
    authz: authzOf(config, flags),
    gate: gateOf(config, policies),
    folder: flags.folder,
    maxSession: longestGrant(policies),
  };
}

/** Envoy takes one file for all: where there are several, only the user can say which one holds them all. */
function clientCaOf({ trust }: Config, { clientCa }: EnvoyFlags): string {
  const [only, another] = trust;
  if (clientCa !== undefined) return clientCa;
  if (only && !another) return only.ca;
  throw usageError(
    `there are ${trust.length} trust entries, and Envoy takes their CAs in one file`,
    'put them into one file and name it with --client-ca',
  );
}

function authzOf({ listen: { authz } }: Config, flags: EnvoyFlags): AuthzTarget {
  if (flags.authz === undefined && authz.address.kind === 'unix') return authz.address;
  const at = flags.authz === undefined ? authz.address : parseHostPort(flags.authz);
  if (!at || !('host' in at)) throw usageError(`--authz: expected host:port, got ${JSON.stringify(flags.authz)}`);
  const { authzCa: ca, authzCert: cert, authzKey: key, authzName: name } = flags;
  if (ca === undefined || cert === undefined || key === undefined || name === undefined)
    throw usageError(
      `Envoy reaches the service at ${at.host}:${at.port} with certificates on both sides`,
      'give --authz-ca, --authz-cert, --authz-key and --authz-name',
    );
  return { kind: 'tcp', host: at.host, port: at.port, tls: { ca, cert, key, name } };
}

/** Without the gate's name in its configuration the service believes no gate, and Envoy's would be denied everything. */
function gateOf({ gate }: Config, { resources }: PolicySet): string {
  const gated = [...resources.values()].find(({ tcp }) => tcp?.gate);
  if (gate !== null || !gated) return gate ?? 'gate';
  throw usageError(`resource ${JSON.stringify(gated.name)} is reached through the gate`, 'set gate: gate');
}

function longestGrant({ policies }: PolicySet): Duration {
  const longest = Math.max(...[...policies.values()].map(({ duration }) => duration.max), 0);
  return Math.min(longest || HARD_CEILING, HARD_CEILING) as Duration;
}
