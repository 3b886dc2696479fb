import type { Duration } from '../domain/time.js';
import { CHECK_TIMEOUT, holdTimeout } from './limits.js';
import { extension, typed, type Message } from './message.js';
import { AUTHZ_CLUSTER } from './names.js';
import type { ResourceName } from '../domain/names.js';

const HTTP = 'extensions.filters.http.ext_authz.v3';

/** Per-route settings are found by this name, and only by it. */
const FILTER = 'envoy.filters.http.ext_authz';

/** The filter's value for "the route names it": a route that names nothing is then a deny. */
const FROM_ROUTE = 'from-route';

/** HTTP ext_authz on a network listener: the peer's certificate goes with the question. */
export function httpCheck(): Message {
  // As many headers as the service reads. The rest of the request is no business of a decision.
  const headers = ['accept', 'upgrade', 'connection', 'content-type'];
  return extension(FILTER, `${HTTP}.ExtAuthz`, {
    ...commonCheck(headers),
    include_peer_certificate: true,
    include_tls_session: true,
  });
}

/** HTTP ext_authz behind the gate. The peer of an internal connection is Envoy itself, so there is no certificate. */
export function gateCheck(): Message {
  return extension(FILTER, `${HTTP}.ExtAuthz`, commonCheck(['x-portcullis-peer', 'x-portcullis-source']));
}

function commonCheck(headers: readonly string[]): Message {
  return {
    stat_prefix: 'portcullis',
    transport_api_version: 'V3',
    grpc_service: service(FROM_ROUTE, CHECK_TIMEOUT),
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    validate_mutations: true,
    clear_route_cache: false,
    decoder_header_mutation_rules: {
      disallow_all: true,
      allow_expression: { regex: 'x-portcullis-(decision|grant|subject)' },
      disallow_is_error: true,
    },
    allowed_headers: { patterns: headers.map((exact) => ({ exact })) },
    // Repeated headers arrive as they came, not joined.
    encode_raw_headers: true,
    enable_dynamic_metadata_ingestion: true,
  };
}

/** Network ext_authz. It knows no routes: the listener names the resource. */
export function tcpCheck(name: ResourceName): Message {
  return extension('envoy.filters.network.ext_authz', 'extensions.filters.network.ext_authz.v3.ExtAuthz', {
    stat_prefix: 'portcullis',
    transport_api_version: 'V3',
    grpc_service: service(name, CHECK_TIMEOUT),
    failure_mode_allow: false,
    include_peer_certificate: true,
    include_tls_session: true,
    send_tls_alert_on_denial: true,
  });
}

/**
 * What a route says to the service: the resource, and behind the gate that its identity headers count. Where connections
 * may wait for an approval the route has a time of its own; everywhere else an answer is there at once or not at all.
 */
export function routeSettings(name: ResourceName, { gate = false, hold = null }: RouteWish = {}): Message {
  const extensions = { 'portcullis.resource': name, ...(gate && { 'portcullis.identity': 'gate' }) };
  const waiting = hold !== null && { grpc_service: service(FROM_ROUTE, holdTimeout(hold)) };
  const settings = { context_extensions: extensions, ...waiting };
  return { [FILTER]: typed(`${HTTP}.ExtAuthzPerRoute`, { check_settings: settings }) };
}

/** What the route says that takes whatever belongs to no resource: none can be called that. */
export function nowhereSettings(): Message {
  const settings = { context_extensions: { 'portcullis.resource': '*' } };
  return { [FILTER]: typed(`${HTTP}.ExtAuthzPerRoute`, { check_settings: settings }) };
}

interface RouteWish {
  readonly gate?: boolean;
  /** The longest that a connection may wait on this route; null: none waits. */
  readonly hold?: Duration | null;
}

function service(resource: string, timeout: string): Message {
  return {
    envoy_grpc: { cluster_name: AUTHZ_CLUSTER },
    timeout,
    initial_metadata: [{ key: 'x-portcullis-resource', value: resource }],
  };
}
