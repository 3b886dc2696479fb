import type { Config } from '../../config.js';
import { HARD_CEILING } from '../../domain/durations.js';
import { longestHolds } from '../../domain/hold.js';
import type { PolicySet } from '../../domain/policy.js';
import type { Duration } from '../../domain/time.js';
import { GUARD_FILE } from '../../envoy-config/guard-file.js';
import type { EnvoyOptions, ServiceTarget } from '../../envoy-config/options.js';
import { parseHostPort } from '../../policy/host-port.js';
import { usageError } from '../failure.js';

/** What flags say about Envoy besides the configuration. Paths are Envoy's, so they are taken as they are. */
export interface EnvoyFlags {
  readonly folder?: string;
  readonly clientCa?: string;
  readonly authz?: string;
  readonly guard?: string;
  readonly serviceCa?: string;
  readonly serviceCert?: string;
  readonly serviceKey?: string;
  readonly serviceName?: string;
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
    authz: targetOf(config.listen.authz, 'authz', flags),
    guard: targetOf(config.listen.guard, 'guard', flags),
    guardWasm: `${flags.folder}/${GUARD_FILE}`,
    gate: gateOf(config, policies),
    folder: flags.folder,
    maxSession: longestGrant(policies),
    holds: longestHolds(policies),
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

function targetOf({ address }: Config['listen']['authz'], which: 'authz' | 'guard', flags: EnvoyFlags): ServiceTarget {
  const flag = flags[which];
  if (flag === undefined && address.kind === 'unix') return address;
  const at = flag === undefined ? address : parseHostPort(flag);
  if (!at || !('host' in at)) throw usageError(`--${which}: expected host:port, got ${JSON.stringify(flag)}`);
  const { serviceCa: ca, serviceCert: cert, serviceKey: key, serviceName: name } = flags;
  if (ca === undefined || cert === undefined || key === undefined || name === undefined)
    throw usageError(
      `Envoy reaches the service at ${at.host}:${at.port} with certificates on both sides`,
      'give --service-ca, --service-cert, --service-key and --service-name',
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
