import { handshakeLog, httpLog } from './access-log.js';
import { connectionManager } from './connection-manager.js';
import { httpCheck } from './ext-authz.js';
import { httpGuard } from './guard.js';
import { ARRIVAL_TIMEOUT, EDGE_BUFFER, EDGE_HTTP2, IDLE_TIMEOUT } from './limits.js';
import { extension, socketAddress, watchedFile, type Message } from './message.js';
import { HTTP_LISTENER, HTTP_ROUTES } from './names.js';
import type { EnvoyOptions } from './options.js';
import { downstreamTls } from './tls.js';

/** The one listener for all HTTP resources. Nothing in it depends on them: they are in the routes. */
export function httpListener(options: EnvoyOptions): Message {
  return {
    name: HTTP_LISTENER,
    address: socketAddress(options.address, options.httpPort),
    per_connection_buffer_limit_bytes: EDGE_BUFFER,
    access_log: [handshakeLog(options.accessLog, HTTP_LISTENER)],
    filter_chains: [
      {
        transport_socket: downstreamTls(options, ['h2', 'http/1.1']),
        transport_socket_connect_timeout: ARRIVAL_TIMEOUT,
        filters: [manager(options)],
      },
    ],
  };
}

function manager(options: EnvoyOptions): Message {
  const { accessLog, folder } = options;
  return connectionManager(
    { check: httpCheck(), guard: httpGuard(options), cleaning: [STRIP_TRAILERS] },
    {
      stat_prefix: 'http',
      codec_type: 'AUTO',
      ...CLIENTS,
      ...PATHS,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      http2_protocol_options: EDGE_HTTP2,
      common_http_protocol_options: { idle_timeout: IDLE_TIMEOUT, headers_with_underscores_action: 'REJECT_REQUEST' },
      request_headers_timeout: ARRIVAL_TIMEOUT,
      stream_idle_timeout: IDLE_TIMEOUT,
      access_log: [httpLog(accessLog)],
      rds: { route_config_name: HTTP_ROUTES, config_source: watchedFile(folder, 'rds.yaml') },
    },
  );
}

const OURS_REMOVED: Message = { remove_on_match: { key_matcher: { prefix: 'x-portcullis-' } } };

/** Trailers come after the decision; what calls itself ours in them would be believed by an upstream. */
const STRIP_TRAILERS = extension(
  'portcullis.strip-trailers',
  'extensions.filters.http.header_mutation.v3.HeaderMutation',
  {
    mutations: { request_trailers_mutations: [OURS_REMOVED] },
  },
);

/** What clients say of themselves is removed or written anew, before anything reads it. */
const CLIENTS: Message = {
  early_header_mutation_extensions: [
    extension('portcullis.strip', 'extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
      mutations: [OURS_REMOVED],
    }),
  ],
  forward_client_cert_details: 'SANITIZE_SET',
  set_current_client_cert_details: { subject: true, uri: true, dns: true },
  use_remote_address: true,
  // No address is trusted to send x-envoy-* headers: they change timeouts, retries and routing. An empty list would
  // mean the private networks, so it holds an address that no client can have.
  internal_address_config: { cidr_ranges: [{ address_prefix: '255.255.255.255', prefix_len: 32 }] },
};

/** So that Envoy, the service and the upstream read the same path. What has several readings is refused. */
const PATHS: Message = {
  normalize_path: true,
  merge_slashes: true,
  path_with_escaped_slashes_action: 'REJECT_REQUEST',
};
