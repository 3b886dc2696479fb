import { isDeepStrictEqual } from 'node:util';
import {
  all,
  isTyped,
  get,
  checks,
  isGate,
  gates,
  networkListeners,
  managers,
  gated,
  chainsOf,
  chains,
  routes,
  HTTP_CHECK,
  TCP_CHECK,
  MANAGER,
  TCP_PROXY,
} from './envoy-parts.js';
import type { StaticBootstrap, Tree } from './envoy-static.js';

/** What must hold in every configuration, as in "normalize_path is true"; `broken` lists where it does not. */
export interface Rule {
  /** CD1 to CD26, the settings that a configuration is checked for; a word for what has no number there. */
  readonly id: string;
  readonly says: string;
  readonly broken: (config: StaticBootstrap) => readonly string[];
}

const rule = (id: string, says: string, broken: Rule['broken']): Rule => ({ id, says, broken });

export const RULES: readonly Rule[] = [
  rule('CD2', 'no failure is an allow', (c) => where(checks(c), (check) => check['failure_mode_allow'] === false)),
  rule('CD3', 'an answer that takes longer than 250 ms is none', (c) =>
    where(checks(c), (check) => seconds(get(check, 'grpc_service.timeout')) <= 0.25),
  ),
  rule('CD3', 'a route that gives more time asks the same service in the same way, and not for ever', (c) => {
    const usual = get(checks(c)[0], 'grpc_service.envoy_grpc');
    return where(all(c, 'ExtAuthzPerRoute'), (route) => {
      const own = get(route, 'check_settings.grpc_service') as Tree | undefined;
      if (own === undefined) return true;
      const named = [{ key: 'x-portcullis-resource', value: 'from-route' }];
      const time = seconds(own['timeout']);
      const isSame = isDeepStrictEqual([own['envoy_grpc'], own['initial_metadata']], [usual, named]);
      return isSame && time > 0 && time <= 300.5;
    });
  }),
  rule('CD4', 'the certificate goes with every question from the network, and with none from the gate', (c) => [
    ...where(
      c.static_resources.listeners.flatMap((one) => (isGate(one) ? [] : checks(one))),
      (check) => check['include_peer_certificate'] === true,
    ),
    ...where(gates(c).flatMap(checks), (check) => check['include_peer_certificate'] === undefined),
  ]),
  rule('CD5', 'an answer changes nothing but headers of ours, and chooses no other route', (c) =>
    where(
      all(c, HTTP_CHECK),
      (check) =>
        check['validate_mutations'] === true &&
        check['clear_route_cache'] === false &&
        get(check, 'decoder_header_mutation_rules.disallow_all') === true &&
        get(check, 'decoder_header_mutation_rules.disallow_is_error') === true &&
        String(get(check, 'decoder_header_mutation_rules.allow_expression.regex')).startsWith('x-portcullis-('),
    ),
  ),
  rule('CD6', 'nothing turns the question off, and everything that leads somewhere is behind one', (c) => [
    ...where(checks(c), (check) => !OFF_SWITCHES.some((key) => key in check)),
    ...where(
      all(c, 'ExtAuthzPerRoute'),
      (one) => !('disabled' in one) && !get(one, 'check_settings.disable_request_body_buffering'),
    ),
    ...where(all(c, MANAGER), (manager) => all(manager['http_filters'], HTTP_CHECK).length === 1),
    ...where(chains(c), (chain) => leadsThroughCheck(chain)),
  ]),
  rule('CD6', 'every route names its resource, or leads nowhere', (c) =>
    where(routes(c), (route) => 'direct_response' in route || namesResource(route)),
  ),
  rule('CD6', 'where a route names nothing, and where there are no routes, the filter says so', (c) => [
    ...where(all(c, HTTP_CHECK), (check) => named(check) === 'from-route'),
    ...where(all(c, TCP_CHECK), (check) => !['', 'from-route', 'undefined'].includes(named(check))),
  ]),
  rule('CD7', 'every client shows a certificate that one of our CAs has signed', (c) =>
    where(
      all(c, SERVER_TLS),
      (tls) =>
        tls['require_client_certificate'] === true &&
        Boolean(get(tls, 'common_tls_context.validation_context.trusted_ca.filename')) &&
        get(tls, 'common_tls_context.validation_context.trust_chain_verification') === 'VERIFY_TRUST_CHAIN',
    ),
  ),
  rule('CD7', 'nothing on the network listens without TLS, or below 1.2', (c) => [
    ...where(networkListeners(c).flatMap(chainsOf), (chain) => all(chain['transport_socket'], SERVER_TLS).length === 1),
    ...where([...all(c, SERVER_TLS), ...all(c, CLIENT_TLS)], (tls) =>
      /^TLSv1_[23]$/.test(String(get(tls, 'common_tls_context.tls_params.tls_minimum_protocol_version'))),
    ),
  ]),
  rule('CD8', 'the forwarded certificate is written anew', (c) =>
    where(managers(c), (manager) =>
      ['SANITIZE', 'SANITIZE_SET'].includes(String(manager['forward_client_cert_details'])),
    ),
  ),
  rule('CD9', 'addresses come from the connection, nobody may send x-envoy headers, underscores are refused', (c) =>
    where(
      managers(c),
      (manager) =>
        manager['use_remote_address'] === true &&
        get(manager, 'internal_address_config.cidr_ranges.0.address_prefix') === '255.255.255.255' &&
        get(manager, 'internal_address_config.cidr_ranges.1') === undefined &&
        get(manager, 'common_http_protocol_options.headers_with_underscores_action') === 'REJECT_REQUEST',
    ),
  ),
  rule('CD10', 'paths have one reading', (c) =>
    where(
      managers(c),
      (manager) =>
        manager['normalize_path'] === true &&
        manager['merge_slashes'] === true &&
        manager['path_with_escaped_slashes_action'] === 'REJECT_REQUEST',
    ),
  ),
  rule('CD11', 'a question carries few headers, each as it came, and no body', (c) =>
    where(all(c, HTTP_CHECK), (check) => {
      const patterns = get(check, 'allowed_headers.patterns') as readonly Tree[] | undefined;
      const exact = patterns?.every((one) => typeof one['exact'] === 'string') ?? false;
      return exact && patterns!.length <= 4 && check['encode_raw_headers'] === true && !('with_request_body' in check);
    }),
  ),
  rule('CD12', 'the service is asked by gRPC, over a Unix socket or with both sides known by name', (c) =>
    where(checks(c), (check) => {
      const name = get(check, 'grpc_service.envoy_grpc.cluster_name');
      const [cluster, second] = c.static_resources.clusters.filter((one) => one['name'] === name);
      return cluster !== undefined && second === undefined && (isPipe(cluster) || isMutual(cluster));
    }),
  ),
  rule('CD13', 'what judges is the first filter, and the last one routes', (c) => [
    ...where(all(c, MANAGER), (manager) => {
      const filters = manager['http_filters'] as readonly Tree[];
      return (
        filters[0]?.['name'] === 'envoy.filters.http.ext_authz' &&
        filters.at(-1)?.['name'] === 'envoy.filters.http.router'
      );
    }),
    ...where(
      chains(c).filter((chain) => all(chain, TCP_CHECK).length > 0),
      (chain) => isTyped(get(chain, 'filters.0.typed_config'), TCP_CHECK),
    ),
  ]),
  rule('CD16', 'the answer reaches the access log', (c) =>
    where(all(c, HTTP_CHECK), (check) => check['enable_dynamic_metadata_ingestion'] !== false),
  ),
  rule(
    'CD17',
    'raw TCP goes to the gate when the handshake is done, or is judged before the upstream is dialled',
    (c) =>
      where(all(c, TCP_PROXY), (proxy) =>
        proxy['tunneling_config']
          ? proxy['cluster'] === 'portcullis-gate' && proxy['upstream_connect_mode'] === 'ON_DOWNSTREAM_TLS_HANDSHAKE'
          : proxy['cluster'] !== 'portcullis-gate' && proxy['upstream_connect_mode'] === 'ON_DOWNSTREAM_DATA',
      ),
  ),
  rule('CD17', 'the gate has no address, and one cluster leads to it, which only listeners with a tunnel use', (c) => [
    ...where(gates(c), (gate) => !('address' in gate)),
    ...where(
      c.static_resources.clusters.filter((one) => leadsTo(one) !== undefined),
      (one) => one['name'] === 'portcullis-gate',
    ),
    ...where(routes(c), (route) => get(route, 'route.cluster') !== 'portcullis-gate'),
  ]),
  rule('CD18', 'who it is behind the gate is written over whatever is there, and goes no further', (c) => [
    ...where(
      all(c, TCP_PROXY).filter((proxy) => proxy['tunneling_config']),
      (proxy) => {
        const headers = get(proxy, 'tunneling_config.headers_to_add') as readonly Tree[];
        const found = headers.map((one) => [get(one, 'header.key'), get(one, 'header.value')].join('='));
        const wanted = ['x-portcullis-peer=%DOWNSTREAM_PEER_CERT%', 'x-portcullis-source=%DOWNSTREAM_REMOTE_ADDRESS%'];
        const over = headers.every((one) => one['append_action'] === 'OVERWRITE_IF_EXISTS_OR_ADD');
        return over && wanted.every((one) => found.includes(one));
      },
    ),
    ...where(gates(c).flatMap(routes), (route) => {
      const removed = (route['request_headers_to_remove'] ?? []) as readonly string[];
      return ['x-portcullis-peer', 'x-portcullis-source'].every((name) => removed.includes(name));
    }),
  ]),
  rule('CD18', 'headers and trailers in our name are removed from what clients send, before anything else', (c) =>
    where(
      managers(c),
      (manager) =>
        get(manager, `early_header_mutation_extensions.0.typed_config.mutations.0.${REMOVED}`) === 'x-portcullis-' &&
        get(manager, `http_filters.2.typed_config.mutations.request_trailers_mutations.0.${REMOVED}`) ===
          'x-portcullis-',
    ),
  ),
  rule('CD18', 'identity headers are believed on the gate alone', (c) => {
    const believing = (route: Tree) => extensionsOf(route)['portcullis.identity'] === 'gate';
    return [
      ...where(networkListeners(c).flatMap(routes), (route) => !believing(route)),
      ...where(gates(c).flatMap(routes), believing),
    ];
  }),
  rule('CD20', 'no stream and no connection lives longer than the longest grant', (c) => [
    ...where(
      routes(c).filter((route) => 'route' in route),
      (route) => within(get(route, 'route.max_stream_duration.max_stream_duration')),
    ),
    ...where(
      all(c, TCP_PROXY).filter((proxy) => !proxy['tunneling_config']),
      (proxy) => within(proxy['max_downstream_connection_duration']),
    ),
  ]),
  rule('CD21', 'a network client may have 100 streams and little unread', (c) => [
    ...where(managers(c), (manager) => {
      const { max_concurrent_streams, initial_stream_window_size, initial_connection_window_size } = manager[
        'http2_protocol_options'
      ] as Record<string, number>;
      return (
        max_concurrent_streams === 100 &&
        initial_stream_window_size === 65_536 &&
        initial_connection_window_size === 1_048_576
      );
    }),
    ...where(networkListeners(c), (one) => Number(one['per_connection_buffer_limit_bytes']) <= 65_536),
  ]),
  rule('CD21', 'sessions of the gate share nothing, and keep little for who does not read', (c) => {
    const ways = c.static_resources.clusters.filter((one) => leadsTo(one) !== undefined);
    const behind = new Set(
      gates(c)
        .flatMap(routes)
        .map((route) => get(route, 'route.cluster')),
    );
    return [
      ...where(ways, (way) =>
        all(way, HTTP_OPTIONS).some(
          (one) => get(one, 'common_http_protocol_options.max_requests_per_connection') === 1,
        ),
      ),
      ...where(ways, (way) =>
        all(way, HTTP_OPTIONS).some((one) => hasWindows(get(one, 'explicit_http_config.http2_protocol_options'))),
      ),
      ...where(
        gates(c).flatMap((gate) => all(gate, MANAGER)),
        (manager) => hasWindows(manager['http2_protocol_options']),
      ),
      ...where(
        [...gates(c), ...ways, ...c.static_resources.clusters.filter((one) => behind.has(one['name'])), ...gated(c)],
        (one) => one['per_connection_buffer_limit_bytes'] === 65_536,
      ),
    ];
  }),
  rule('CD22', 'no TLS session is resumed', (c) =>
    where(
      all(c, SERVER_TLS),
      (tls) =>
        tls['disable_stateless_session_resumption'] === true && tls['disable_stateful_session_resumption'] === true,
    ),
  ),
  rule('CD23', 'the admin endpoint is local, and connections and memory are limited', (c) => {
    const host = get(c, 'admin.address.socket_address.address');
    const monitors = (get(c, 'overload_manager.resource_monitors') ?? []) as readonly Tree[];
    return where(
      [c],
      () => (host === '127.0.0.1' || Boolean(get(c, 'admin.address.pipe.path'))) && monitors.length === 2,
    );
  }),
  rule('CD24', 'nothing asks twice, and nothing but the service answers', (c) => [
    ...where(routes(c), (route) => !mentions(route, /retry|hedge/)),
    ...where(checks(c), (check) => !mentions(check, /retry|hedge|cache_config/)),
    ...where(all(c, MANAGER), (manager) => !mentions(manager['http_filters'], /\.cache\./)),
    ...where(
      c.static_resources.clusters,
      (cluster) => !('outlier_detection' in cluster) && !('health_checks' in cluster),
    ),
  ]),
  rule('CD25', 'every decision is in the access log, with its ids and without a query', (c) => [
    ...where(all(c, MANAGER), (manager) => logsDecision(manager, HTTP_NAMESPACE)),
    ...where(
      all(c, TCP_PROXY).filter((proxy) => !proxy['tunneling_config']),
      (proxy) => logsDecision(proxy, TCP_NAMESPACE),
    ),
    ...where(all(c, 'FileAccessLog'), (log) => !/REQ\(:PATH|PATH\((?:WQ|:)|ORIGINAL-PATH/.test(JSON.stringify(log))),
    ...where(networkListeners(c), (one) =>
      JSON.stringify(one['access_log'] ?? '').includes('DOWNSTREAM_TRANSPORT_FAILURE_REASON'),
    ),
  ]),
  rule('guard', 'the session guard stands right behind what judges, everywhere', (c) => [
    ...where(all(c, MANAGER), (manager) => isTyped(get(manager, 'http_filters.1.typed_config'), HTTP_GUARD)),
    ...where(
      chains(c).filter((chain) => all(chain, TCP_CHECK).length > 0),
      (chain) => isTyped(get(chain, 'filters.1.typed_config'), TCP_GUARD),
    ),
    ...where(
      chains(c).filter((chain) => all(chain, TCP_PROXY).some((proxy) => !proxy['tunneling_config'])),
      (chain) => all(chain, TCP_GUARD).length === 1,
    ),
  ]),
  rule('guard', 'one guard for each worker thread, which nothing passes when it has failed', (c) => {
    const plugins = guards(c).map((one) => one['config'] as Tree);
    return where(
      plugins,
      (plugin) =>
        plugin['failure_policy'] === 'FAIL_RELOAD' &&
        !('fail_open' in plugin) &&
        seconds(get(plugin, 'reload_config.backoff.base_interval')) <= 0.1 &&
        JSON.stringify(plugin) === JSON.stringify(plugins[0]),
    );
  }),
  rule('guard', 'its contact has a cluster of its own, over a Unix socket or with both sides known by name', (c) =>
    where(guards(c), (guard) => {
      const name = get(guard, 'config.configuration.value.cluster');
      const [cluster, second] = c.static_resources.clusters.filter((one) => one['name'] === name);
      const isShared = checks(c).some((check) => get(check, 'grpc_service.envoy_grpc.cluster_name') === name);
      return cluster !== undefined && second === undefined && !isShared && (isPipe(cluster) || isMutual(cluster));
    }),
  ),
  rule('limits', 'no limit is so low that one client uses it up', (c) =>
    where(c.static_resources.clusters, (cluster) => {
      const thresholds = (get(cluster, 'circuit_breakers.thresholds') ?? []) as readonly Tree[];
      const limits = ['max_connections', 'max_pending_requests', 'max_requests'];
      return thresholds.length === 2 && thresholds.every((one) => limits.every((key) => Number(one[key]) >= 50_000));
    }),
  ),
  rule('cut', 'a stream that is cut takes its connection with it at once', (c) =>
    where(all(c, MANAGER), (manager) => seconds(manager['delayed_close_timeout']) <= 0.05),
  ),
  rule('error', 'an error on the way to the service is answered with 503', (c) =>
    where(all(c, HTTP_CHECK), (check) => get(check, 'status_on_error.code') === 'ServiceUnavailable'),
  ),
  rule('alert', 'a client that the network filter denies is told by its TLS', (c) =>
    where(all(c, TCP_CHECK), (check) => check['send_tls_alert_on_denial'] === true),
  ),
];

const HTTP_GUARD = 'filters.http.wasm.v3.Wasm';
const TCP_GUARD = 'filters.network.wasm.v3.Wasm';
const SERVER_TLS = 'DownstreamTlsContext';
const CLIENT_TLS = 'UpstreamTlsContext';
const HTTP_OPTIONS = 'HttpProtocolOptions';
const HTTP_NAMESPACE = 'envoy.filters.http.ext_authz';
const TCP_NAMESPACE = 'envoy.filters.network.ext_authz';
const REMOVED = 'remove_on_match.key_matcher.prefix';
const OFF_SWITCHES = ['filter_enabled', 'filter_enabled_metadata', 'deny_at_disable', 'disabled'];

/** Those for which it does not hold, as text; a rule that looks at nothing is the caller's business. */
function where<T extends Tree>(nodes: readonly T[], holds: (node: T) => boolean): readonly string[] {
  return nodes.filter((node) => !holds(node)).map((node) => JSON.stringify(node).slice(0, 300));
}

/** Through HTTP ext_authz, through network ext_authz, or to the gate, which has its own. */
function leadsThroughCheck(chain: Tree): boolean {
  if (all(chain, MANAGER).length === 1) return true;
  const [proxy] = all(chain, TCP_PROXY);
  return proxy?.['cluster'] === 'portcullis-gate' || all(chain['filters'], TCP_CHECK).length === 1;
}

function guards(node: unknown): readonly Tree[] {
  return [...all(node, HTTP_GUARD), ...all(node, TCP_GUARD)];
}

function extensionsOf(route: Tree): Tree {
  const settings = (route['typed_per_filter_config'] as Tree | undefined)?.['envoy.filters.http.ext_authz'];
  return (get(settings, 'check_settings.context_extensions') ?? {}) as Tree;
}

/** In its metadata for Envoy's own filters and in its extensions for the service: the same. */
function namesResource(route: Tree): boolean {
  const name = extensionsOf(route)['portcullis.resource'];
  return typeof name === 'string' && name !== '' && get(route, 'metadata.filter_metadata.portcullis.resource') === name;
}

/** What the filter itself says to the service; empty unless it says exactly one thing. */
function named(check: Tree): string {
  const metadata = (get(check, 'grpc_service.initial_metadata') ?? []) as readonly Tree[];
  const ours = metadata.filter((one) => one['key'] === 'x-portcullis-resource');
  return ours.length === 1 ? String(ours[0]!['value']) : '';
}

function isPipe(cluster: Tree): boolean {
  return Boolean(get(cluster, 'load_assignment.endpoints.0.lb_endpoints.0.endpoint.address.pipe.path'));
}

function isMutual(cluster: Tree): boolean {
  const [tls] = all(cluster['transport_socket'], CLIENT_TLS);
  const common = 'common_tls_context';
  const names = (get(tls, `${common}.validation_context.match_typed_subject_alt_names`) ?? []) as readonly Tree[];
  return (
    Boolean(get(tls, `${common}.tls_certificates.0.certificate_chain.filename`)) &&
    Boolean(get(tls, `${common}.validation_context.trusted_ca.filename`)) &&
    names.length === 1 &&
    typeof get(names[0], 'matcher.exact') === 'string'
  );
}

/** The internal listener that a cluster leads to. */
function leadsTo(cluster: Tree): unknown {
  return get(cluster, 'load_assignment.endpoints.0.lb_endpoints.0.endpoint.address.envoy_internal_address');
}

function hasWindows(http2: unknown): boolean {
  return ['initial_stream_window_size', 'initial_connection_window_size'].every((key) => get(http2, key) === 262_144);
}

function mentions(node: unknown, word: RegExp): boolean {
  return word.test(JSON.stringify(node ?? null));
}

function logsDecision(node: Tree, namespace: string): boolean {
  const line = (get(node, 'access_log.0.typed_config.log_format.json_format') ?? {}) as Tree;
  const fields = ['decision_id', 'grant_id', 'request_id', 'reason', 'resource', 'subject'];
  return fields.every((field) => line[field] === `%DYNAMIC_METADATA(${namespace}:${field})%`);
}

/** In seconds; no number for what is no length of time. */
function seconds(duration: unknown): number {
  return typeof duration === 'string' && /^[\d.]+s$/.test(duration) ? Number.parseFloat(duration) : Number.NaN;
}

/** At most the longest grant that the product knows, and not endless. */
function within(duration: unknown): boolean {
  return seconds(duration) > 0 && seconds(duration) <= 7 * 86_400;
}
