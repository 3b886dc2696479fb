import type { Duration } from '../domain/time.js';
import type { Resource } from '../domain/resource.js';
import { nowhereSettings, routeSettings } from './ext-authz.js';
import { printSeconds } from './limits.js';
import type { Message } from './message.js';
import type { EnvoyOptions } from './options.js';
import { GATE_ROUTES, grpcCluster, HTTP_ROUTES, httpCluster, tcpCluster } from './names.js';

type HttpResource = Pick<Resource, 'name'> & { readonly http: NonNullable<Resource['http']> };
type Named = Pick<Resource, 'name'>;
type Times = Pick<EnvoyOptions, 'maxSession' | 'holds'>;

/** The routes of the HTTP listener, one virtual host for each resource. */
export function httpRoutes(resources: readonly HttpResource[], times: Times): Message {
  return routeConfiguration(HTTP_ROUTES, [...resources.map((one) => httpHost(one, times)), NOWHERE]);
}

/** The routes behind the gate. The authority is what the listener in front of it writes, never a client. */
export function gateRoutes(resources: readonly Named[], times: Times): Message {
  return routeConfiguration(
    GATE_ROUTES,
    resources.map((one) => gateHost(one, times)),
  );
}

function routeConfiguration(name: string, hosts: readonly Message[]): Message {
  // As the service reads an authority: whatever port the client reached us by.
  return { name, ignore_port_in_host_matching: true, virtual_hosts: hosts };
}

/** gRPC needs HTTP/2 to the upstream and most of the rest HTTP/1.1; both are the same upstream and the same decision. */
function httpHost({ name, http }: HttpResource, { maxSession, holds }: Times): Message {
  const route = (match: Message, cluster: string): Message => ({
    match: { prefix: '/', ...match },
    ...naming(name, routeSettings(name, { hold: holds?.get(name) ?? null })),
    route: { cluster, ...lifetime(maxSession) },
  });
  return {
    name: httpCluster(name),
    domains: http.authority,
    routes: [route({ grpc: {} }, grpcCluster(name)), route({}, httpCluster(name))],
  };
}

/**
 * What belongs to no resource is put to the service as well, so that the deny is recorded and explained. Were it ever
 * allowed, there is nothing behind it.
 */
const NOWHERE: Message = {
  name: 'portcullis-nowhere',
  domains: ['*'],
  routes: [{ match: { prefix: '/' }, typed_per_filter_config: nowhereSettings(), direct_response: { status: 404 } }],
};

function gateHost({ name }: Named, { maxSession, holds }: Times): Message {
  const connect = { upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] };
  return {
    name: tcpCluster(name),
    domains: [name],
    routes: [
      {
        match: { connect_matcher: {} },
        ...naming(name, routeSettings(name, { gate: true, hold: holds?.get(name) ?? null })),
        request_headers_to_remove: ['x-portcullis-peer', 'x-portcullis-source'],
        route: { cluster: tcpCluster(name), ...lifetime(maxSession), ...connect },
      },
    ],
  };
}

/** The resource, for the service and, in the route's own metadata, for the filters of this Envoy. */
function naming(name: string, settings: Message): Message {
  return {
    name,
    metadata: { filter_metadata: { portcullis: { resource: name } } },
    typed_per_filter_config: settings,
  };
}

/** Responses may take as long as the session may last. */
function lifetime(maxSession: Duration): Message {
  return { timeout: '0s', max_stream_duration: { max_stream_duration: printSeconds(maxSession) } };
}
