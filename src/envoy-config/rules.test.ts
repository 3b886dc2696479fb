import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { billingApi, ordersDb, resource } from '../../test/builders.js';
import { all } from '../../test/e2e/envoy-parts.js';
import { RULES } from '../../test/e2e/envoy-rules.js';
import { parseStatic, toStatic, type StaticBootstrap, type Tree } from '../../test/e2e/envoy-static.js';
import { HARD_CEILING } from '../domain/durations.js';
import { LONGEST_HOLD } from '../domain/hold.js';
import type { ResourceName } from '../domain/names.js';
import { generateEnvoyConfig } from './generate.js';
import type { ServiceTarget, EnvoyOptions } from './options.js';

const SOCKET: ServiceTarget = { kind: 'unix', path: '/run/authz.sock' };
const OVER_TCP: ServiceTarget = {
  kind: 'tcp',
  host: 'portcullis.internal',
  port: 8182,
  tls: { ca: 'ca.crt', cert: 'envoy.crt', key: 'envoy.key', name: 'spiffe://corp/portcullis' },
};

const generated = (service: ServiceTarget = SOCKET, holds: EnvoyOptions['holds'] = new Map()): StaticBootstrap => {
  const options: EnvoyOptions = {
    address: '0.0.0.0',
    httpPort: 8443,
    admin: { kind: 'tcp', host: '127.0.0.1', port: 9901 },
    server: { cert: 'server.crt', key: 'server.key' },
    clientCa: 'ca.crt',
    accessLog: '/dev/stdout',
    authz: service,
    guard: service,
    guardWasm: '/etc/envoy/guard.wasm',
    gate: 'gate',
    folder: '/etc/envoy',
    maxSession: HARD_CEILING,
    holds,
  };
  const tcp = (port: number, gate: boolean) => ({ port, gate, sni: null, upstream: 'db.internal:5432' });
  const resources = [
    resource({ name: billingApi, http: { authority: ['billing.internal'], upstream: '10.0.0.8:8080' } }),
    resource({
      name: 'reports-api' as ResourceName,
      http: { authority: ['reports.internal'], upstream: '[::1]:8080' },
    }),
    resource({ name: ordersDb, tcp: tcp(15_432, true) }),
    resource({ name: 'staff-db' as ResourceName, tcp: tcp(15_433, true) }),
    resource({ name: 'cache-db' as ResourceName, tcp: tcp(15_434, false) }),
  ];
  return toStatic(generateEnvoyConfig(resources, options).files);
};

const HOLDS = new Map([billingApi, ordersDb].map((name) => [name, LONGEST_HOLD] as const));

const CONFIGURATIONS: readonly [string, StaticBootstrap][] = [
  ['what is generated', generated()],
  ['what is generated with the service over TCP', generated(OVER_TCP)],
  ['what is generated where connections may wait', generated(SOCKET, HOLDS)],
  ...['http.yaml', 'tcp-gate.yaml', 'tcp.yaml'].map((name): [string, StaticBootstrap] => [
    `envoy/${name}`,
    parseStatic(readFileSync(`envoy/${name}`, 'utf8')),
  ]),
];

describe.for(CONFIGURATIONS)('%s', ([, config]) => {
  test.for(RULES)('$id: $says', ({ broken }) => {
    expect(broken(config)).toEqual([]);
  });
});

const HTTP = 'filters.http.ext_authz.v3.ExtAuthz';
const TCP = 'filters.network.ext_authz.v3.ExtAuthz';
const HTTP_GUARD = 'filters.http.wasm.v3.Wasm';
const TCP_GUARD = 'filters.network.wasm.v3.Wasm';
const MANAGER = 'HttpConnectionManager';
const TLS = 'DownstreamTlsContext';
const VALIDATION = 'common_tls_context.validation_context';

/** Puts a value at a path below every message of a type; undefined removes it. */
type Change = readonly [id: string, type: string, path: string, value?: unknown];

/** What each rule must notice: one that notices nothing would hold everywhere. */
const CHANGES: readonly Change[] = [
  ['CD2', HTTP, 'failure_mode_allow', true],
  ['CD2', TCP, 'failure_mode_allow'],
  ['CD3', HTTP, 'grpc_service.timeout', '30s'],
  ['CD3', TCP, 'grpc_service.timeout'],
  ['CD3', 'ExtAuthzPerRoute', 'check_settings.grpc_service.timeout'],
  ['CD3', 'ExtAuthzPerRoute', 'check_settings.grpc_service.timeout', '0s'],
  ['CD3', 'ExtAuthzPerRoute', 'check_settings.grpc_service.timeout', '301s'],
  ['CD3', 'ExtAuthzPerRoute', 'check_settings.grpc_service.envoy_grpc.cluster_name', 'other'],
  ['CD3', 'ExtAuthzPerRoute', 'check_settings.grpc_service.initial_metadata', []],
  ['CD4', HTTP, 'include_peer_certificate'],
  ['CD4', HTTP, 'include_peer_certificate', true],
  ['CD4', TCP, 'include_peer_certificate', false],
  ['CD5', HTTP, 'validate_mutations', false],
  ['CD5', HTTP, 'clear_route_cache', true],
  ['CD5', HTTP, 'decoder_header_mutation_rules'],
  ['CD5', HTTP, 'decoder_header_mutation_rules.disallow_all', false],
  ['CD5', HTTP, 'decoder_header_mutation_rules.disallow_is_error'],
  ['CD5', HTTP, 'decoder_header_mutation_rules.allow_expression.regex', '.*'],
  ['CD6', HTTP, 'filter_enabled', { default_value: { numerator: 0 } }],
  ['CD6', HTTP, 'filter_enabled_metadata', {}],
  ['CD6', 'ExtAuthzPerRoute', 'disabled', true],
  ['CD6', MANAGER, 'http_filters.0'],
  ['CD6', TCP, '@type', 'type.googleapis.com/other'],
  ['CD6', 'ExtAuthzPerRoute', 'check_settings.context_extensions', {}],
  ['CD6', MANAGER, 'route_config.virtual_hosts.0.routes.0.typed_per_filter_config'],
  ['CD6', MANAGER, 'route_config.virtual_hosts.0.routes.0.metadata.filter_metadata.portcullis.resource', 'other'],
  ['CD6', HTTP, 'grpc_service.initial_metadata', []],
  ['CD6', HTTP, 'grpc_service.initial_metadata.0.value', 'billing-api'],
  ['CD6', TCP, 'grpc_service.initial_metadata'],
  ['CD7', TLS, 'require_client_certificate', false],
  ['CD7', TLS, `${VALIDATION}.trust_chain_verification`, 'ACCEPT_UNTRUSTED'],
  ['CD7', TLS, `${VALIDATION}.trusted_ca`],
  ['CD7', TLS, '@type', 'type.googleapis.com/other'],
  ['CD7', TLS, 'common_tls_context.tls_params.tls_minimum_protocol_version', 'TLSv1_0'],
  ['CD8', MANAGER, 'forward_client_cert_details', 'APPEND_FORWARD'],
  ['CD9', MANAGER, 'use_remote_address', false],
  ['CD9', MANAGER, 'internal_address_config.cidr_ranges', []],
  ['CD9', MANAGER, 'internal_address_config'],
  ['CD9', MANAGER, 'common_http_protocol_options.headers_with_underscores_action', 'ALLOW'],
  ['CD10', MANAGER, 'normalize_path'],
  ['CD10', MANAGER, 'merge_slashes', false],
  ['CD10', MANAGER, 'path_with_escaped_slashes_action', 'UNESCAPE_AND_FORWARD'],
  ['CD11', HTTP, 'allowed_headers'],
  ['CD11', HTTP, 'allowed_headers.patterns.0', { prefix: 'x-' }],
  ['CD11', HTTP, 'encode_raw_headers'],
  ['CD11', HTTP, 'with_request_body', { max_request_bytes: 1 }],
  ['CD12', HTTP, 'grpc_service.envoy_grpc.cluster_name', 'http-billing-api'],
  ['CD12', TCP, 'grpc_service', { google_grpc: {} }],
  ['CD12', 'UpstreamTlsContext', `${VALIDATION}.match_typed_subject_alt_names`],
  ['CD12', 'UpstreamTlsContext', `${VALIDATION}.trusted_ca`],
  ['CD12', 'UpstreamTlsContext', 'common_tls_context.tls_certificates'],
  ['CD13', MANAGER, 'http_filters.0.name', 'portcullis.authz'],
  ['CD13', MANAGER, 'http_filters.2'],
  ['CD16', HTTP, 'enable_dynamic_metadata_ingestion', false],
  ['CD17', 'TcpProxy', 'upstream_connect_mode'],
  ['CD17', 'TcpProxy', 'cluster', 'portcullis-gate'],
  ['CD17', 'TcpProxy', 'cluster', 'tcp-orders-db'],
  ['CD17', MANAGER, 'route_config.virtual_hosts.0.routes.0.route.cluster', 'portcullis-gate'],
  ['CD18', 'TcpProxy', 'tunneling_config.headers_to_add.0.append_action', 'APPEND_IF_EXISTS_OR_ADD'],
  ['CD18', 'TcpProxy', 'tunneling_config.headers_to_add.0.header.value', '%DOWNSTREAM_PEER_SUBJECT%'],
  ['CD18', MANAGER, 'route_config.virtual_hosts.0.routes.0.request_headers_to_remove'],
  ['CD18', MANAGER, 'early_header_mutation_extensions'],
  ['CD18', 'filters.http.header_mutation.v3.HeaderMutation', 'mutations'],
  ['CD18', 'ExtAuthzPerRoute', 'check_settings.context_extensions', { 'portcullis.identity': 'gate' }],
  ['CD18', 'ExtAuthzPerRoute', 'check_settings.context_extensions', {}],
  ['CD20', MANAGER, 'route_config.virtual_hosts.0.routes.0.route.max_stream_duration', { max_stream_duration: '0s' }],
  ['CD20', MANAGER, 'route_config.virtual_hosts.0.routes.0.route.max_stream_duration'],
  ['CD20', 'TcpProxy', 'max_downstream_connection_duration'],
  ['CD21', MANAGER, 'http2_protocol_options', {}],
  ['CD21', 'HttpProtocolOptions', 'common_http_protocol_options'],
  ['CD21', 'HttpProtocolOptions', 'explicit_http_config.http2_protocol_options', {}],
  ['CD22', TLS, 'disable_stateless_session_resumption'],
  ['CD22', TLS, 'disable_stateful_session_resumption', false],
  ['CD24', MANAGER, 'route_config.virtual_hosts.0.routes.0.route.retry_policy', { retry_on: '5xx' }],
  ['CD24', HTTP, 'grpc_service.retry_policy', { num_retries: 1 }],
  [
    'CD24',
    MANAGER,
    'http_filters.1',
    { name: 'x', typed_config: { '@type': 'x/envoy.extensions.filters.http.cache.v3.C' } },
  ],
  ['CD25', MANAGER, 'access_log'],
  ['CD25', MANAGER, 'access_log.0.typed_config.log_format.json_format.grant_id', '-'],
  ['CD25', 'TcpProxy', 'access_log', []],
  ['CD25', 'FileAccessLog', 'log_format.json_format.path', '%REQ(:PATH)%'],
  ['guard', MANAGER, 'http_filters.1'],
  ['guard', HTTP_GUARD, '@type', 'type.googleapis.com/other'],
  ['guard', TCP_GUARD, '@type', 'type.googleapis.com/other'],
  ['guard', HTTP_GUARD, 'config.failure_policy', 'FAIL_OPEN'],
  ['guard', TCP_GUARD, 'config.failure_policy'],
  ['guard', HTTP_GUARD, 'config.fail_open', true],
  ['guard', HTTP_GUARD, 'config.reload_config'],
  ['guard', TCP_GUARD, 'config.vm_config.vm_id', 'another'],
  ['guard', HTTP_GUARD, 'config.configuration.value.cluster', 'portcullis-authz'],
  ['guard', HTTP_GUARD, 'config.configuration.value.cluster', 'http-billing-api'],
  ['cut', MANAGER, 'delayed_close_timeout'],
  ['error', HTTP, 'status_on_error'],
  ['alert', TCP, 'send_tls_alert_on_denial'],
];

/** The same for what has no type of its own. */
const OTHER_CHANGES: readonly (readonly [id: string, what: string, change: (config: Parts) => void])[] = [
  ['CD7', 'a listener without TLS', ({ network }) => delete chainOf(network)['transport_socket']],
  ['CD17', 'a gate with an address', ({ gate }) => (gate['address'] = { socket_address: {} })],
  ['CD17', 'another way to the gate', ({ clusters, way }) => clusters.push({ ...way, name: 'other' })],
  ['CD21', 'large buffers in front', ({ network }) => (network['per_connection_buffer_limit_bytes'] = 1_048_576)],
  ['CD21', 'default buffers in the gate', ({ gate }) => delete gate['per_connection_buffer_limit_bytes']],
  ['CD21', 'default buffers on the way to the gate', ({ way }) => delete way['per_connection_buffer_limit_bytes']],
  ['CD21', 'default buffers behind the gate', ({ behind }) => delete behind['per_connection_buffer_limit_bytes']],
  [
    'CD23',
    'an admin endpoint for everybody',
    ({ config }) => put(config, 'admin.address.socket_address.address', '0.0.0.0'),
  ],
  ['CD23', 'no limits', ({ config }) => put(config, 'overload_manager', undefined)],
  ['CD24', 'outlier detection', ({ way }) => (way['outlier_detection'] = {})],
  ['CD25', 'no word of failed handshakes', ({ network }) => delete network['access_log']],
  ['limits', 'default breakers', ({ behind }) => delete behind['circuit_breakers']],
];

interface Parts {
  readonly config: StaticBootstrap;
  readonly clusters: Tree[];
  readonly network: Tree;
  readonly gate: Tree;
  /** The cluster that leads to the gate, and one behind it. */
  readonly way: Tree;
  readonly behind: Tree;
}

describe('what breaks a rule is noticed by it', () => {
  test.for(CHANGES)('%s: %s with another %s: %j', (change) => {
    expect(complaints(changed(change), change[0])).not.toEqual([]);
  });

  test.for(OTHER_CHANGES)('%s: %s', (change) => {
    expect(complaints(otherwiseChanged(change), change[0])).not.toEqual([]);
  });

  test('no rule is without such a change', () => {
    const told = [
      ...CHANGES.flatMap((change) => complaints(changed(change), change[0])),
      ...OTHER_CHANGES.flatMap((change) => complaints(otherwiseChanged(change), change[0])),
    ];
    expect(RULES.filter((rule) => !told.includes(rule))).toEqual([]);
  });
});

function complaints(config: StaticBootstrap, id: string) {
  return RULES.filter((rule) => rule.id === id && rule.broken(config).length > 0);
}

/** @throws {Error} when there is no message of that type: the change would change nothing */
function changed([, type, path, value]: Change): StaticBootstrap {
  const config = structuredClone(BEFORE);
  const messages = all(config, type);
  if (messages.length === 0) throw new Error(`no ${type} in the configuration`);
  for (const message of messages) put(message, path, value);
  return config;
}

const BEFORE = generated(OVER_TCP, HOLDS);

function otherwiseChanged([, , change]: (typeof OTHER_CHANGES)[number]): StaticBootstrap {
  const config = structuredClone(BEFORE);
  const listeners = config.static_resources.listeners as Tree[];
  const clusters = config.static_resources.clusters as Tree[];
  const named = (list: readonly Tree[], name: string) => list.find((one) => one['name'] === name)!;
  const [network, gate] = [named(listeners, 'tcp-orders-db'), named(listeners, 'gate')];
  const [way, behind] = [named(clusters, 'portcullis-gate'), named(clusters, 'tcp-orders-db')];
  change({ config, clusters, network, gate, way, behind });
  return config;
}

function chainOf(listener: Tree): Tree {
  return (listener['filter_chains'] as Tree[])[0]!;
}

/** Where there is nothing on the way, nothing is put: such a message is left as it is. */
function put(node: Tree, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop()!;
  const parent = steps.reduce<Tree | undefined>((at, step) => at?.[step] as Tree | undefined, node);
  if (!parent) return;
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}
