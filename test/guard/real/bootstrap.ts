/** Ports of one Envoy under test. */
export interface Ports {
  readonly admin: number;
  /** HTTP, ext_authz, guard. */
  readonly http: number;
  /** The same with the guard before ext_authz. */
  readonly misplaced: number;
  /** TCP that goes through the gate. */
  readonly gate: number;
  /** TCP with both network filters. */
  readonly tcp: number;
  /** TCP with the guard and nobody who asks. */
  readonly unasked: number;
}

interface Upstreams {
  readonly web: number;
  readonly tcp: number;
}

export interface BootstrapOptions {
  readonly ports: Ports;
  readonly upstreams: Upstreams;
  readonly wasm: string;
  /** Path of the service's socket. */
  readonly socket: string;
}

/** As far as tests change it. */
export interface Bootstrap {
  readonly static_resources: {
    readonly listeners: readonly { readonly name: string; readonly [more: string]: unknown }[];
    readonly clusters: readonly object[];
  };
  readonly [more: string]: unknown;
}

const typed = (type: string, fields: object = {}) => ({ '@type': `type.googleapis.com/envoy.${type}`, ...fields });
const named = (name: string, type: string, fields: object = {}) => ({ name, typed_config: typed(type, fields) });
const WINDOWS = { initial_stream_window_size: 262_144, initial_connection_window_size: 262_144 };
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** An Envoy in which the guard stands everywhere it can stand, without TLS, which is nothing to it. */
export function bootstrap({ ports, upstreams, wasm, socket }: BootstrapOptions): Bootstrap {
  const config = {
    name: 'portcullis-guard',
    root_id: 'portcullis-guard',
    failure_policy: 'FAIL_RELOAD',
    // Without it a second or more goes by before a guard that has trapped is replaced.
    reload_config: { backoff: { base_interval: '0.1s', max_interval: '1s' } },
    configuration: {
      '@type': 'type.googleapis.com/google.protobuf.Struct',
      value: { cluster: 'portcullis-guard' },
    },
    vm_config: { vm_id: 'portcullis-guard', runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: wasm } } },
  };
  const httpGuard = named('portcullis.guard', 'extensions.filters.http.wasm.v3.Wasm', { config });
  const tcpGuard = named('portcullis.guard', 'extensions.filters.network.wasm.v3.Wasm', { config });
  const grpc_service = { envoy_grpc: { cluster_name: 'portcullis-authz' }, timeout: '5s' };
  const httpAuthz = named('envoy.filters.http.ext_authz', 'extensions.filters.http.ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    grpc_service,
  });
  const tcpAuthz = named('envoy.filters.network.ext_authz', 'extensions.filters.network.ext_authz.v3.ExtAuthz', {
    stat_prefix: 'tcp',
    transport_api_version: 'V3',
    grpc_service,
  });
  const router = named('envoy.filters.http.router', 'extensions.filters.http.router.v3.Router');
  const manager = (stat_prefix: string, filters: readonly object[], route: object, more: object = {}) =>
    named(
      'envoy.filters.network.http_connection_manager',
      'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      {
        stat_prefix,
        delayed_close_timeout: '0.05s',
        http_filters: [...filters, router],
        access_log: [log(stat_prefix)],
        route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
        ...more,
      },
    );
  const web = { match: { prefix: '/' }, route: { cluster: 'web', timeout: '0s' } };
  const websocket = { upgrade_configs: [{ upgrade_type: 'websocket' }] };
  const connect = {
    match: { connect_matcher: {} },
    route: { cluster: 'tcp', timeout: '0s', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
  };
  const tcpProxy = (fields: object) =>
    named('envoy.filters.network.tcp_proxy', 'extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      stat_prefix: 'tcp',
      ...fields,
    });
  const plain = tcpProxy({
    cluster: 'tcp',
    upstream_connect_mode: 'ON_DOWNSTREAM_DATA',
    max_early_data_bytes: 16_384,
    access_log: [log('tcp')],
  });
  const tunnel = tcpProxy({
    cluster: 'gate',
    tunneling_config: {
      hostname: 'orders-db',
      headers_to_add: [{ header: { key: 'x-portcullis-source', value: '%DOWNSTREAM_REMOTE_ADDRESS%' } }],
    },
  });
  const listener = (name: string, port: number, ...filters: readonly object[]) => ({
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    per_connection_buffer_limit_bytes: 65_536,
    filter_chains: [{ filters }],
  });
  return {
    node: { id: 'envoy-under-test', cluster: 'tests' },
    bootstrap_extensions: [
      named('envoy.bootstrap.internal_listener', 'extensions.bootstrap.internal_listener.v3.InternalListener'),
    ],
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: ports.admin } } },
    static_resources: {
      listeners: [
        listener('http', ports.http, manager('http', [httpAuthz, httpGuard], web, websocket)),
        listener('misplaced', ports.misplaced, manager('misplaced', [httpGuard, httpAuthz], web)),
        listener('outer', ports.gate, tunnel),
        listener('tcp', ports.tcp, tcpAuthz, tcpGuard, plain),
        listener('unasked', ports.unasked, tcpGuard, plain),
        {
          name: 'gate',
          internal_listener: {},
          per_connection_buffer_limit_bytes: 65_536,
          filter_chains: [
            {
              filters: [
                manager('gate', [httpAuthz, httpGuard], connect, {
                  http2_protocol_options: { allow_connect: true, ...WINDOWS },
                  upgrade_configs: [{ upgrade_type: 'CONNECT' }],
                }),
              ],
            },
          ],
        },
      ],
      clusters: [
        cluster(
          'gate',
          { envoy_internal_address: { server_listener_name: 'gate' } },
          {
            per_connection_buffer_limit_bytes: 65_536,
            typed_extension_protocol_options: {
              [HTTP_OPTIONS]: typed('extensions.upstreams.http.v3.HttpProtocolOptions', {
                explicit_http_config: { http2_protocol_options: WINDOWS },
                common_http_protocol_options: { max_requests_per_connection: 1 },
              }),
            },
          },
        ),
        cluster('tcp', loopback(upstreams.tcp), { per_connection_buffer_limit_bytes: 65_536 }),
        cluster('web', loopback(upstreams.web)),
        cluster('portcullis-authz', { pipe: { path: socket } }, HTTP2),
        cluster('portcullis-guard', { pipe: { path: socket } }, HTTP2),
      ],
    },
  };
}

const HTTP2 = {
  typed_extension_protocol_options: {
    [HTTP_OPTIONS]: typed('extensions.upstreams.http.v3.HttpProtocolOptions', {
      explicit_http_config: { http2_protocol_options: {} },
    }),
  },
};

const BREAKERS = { max_connections: 65_536, max_pending_requests: 65_536, max_requests: 65_536 };

function cluster(name: string, address: object, more: object = {}): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    circuit_breakers: { thresholds: [BREAKERS] },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...more,
  };
}

function loopback(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function log(listener: string): object {
  return named('file', 'extensions.access_loggers.file.v3.FileAccessLog', {
    path: 'access.log',
    log_format: {
      json_format: {
        listener,
        status: '%RESPONSE_CODE%',
        details: '%RESPONSE_CODE_DETAILS%',
        grant: '%FILTER_STATE(wasm.portcullis.grant_id:PLAIN)%',
        decision: '%FILTER_STATE(wasm.portcullis.decision_id:PLAIN)%',
      },
    },
  });
}
