import { gateLog } from './access-log.js';
import { connectionManager } from './connection-manager.js';
import { gateCheck } from './ext-authz.js';
import { httpGuard } from './guard.js';
import { GATE_BUFFER, GATE_WINDOWS, RAISED_BREAKERS } from './limits.js';
import { typed, watchedFile, type Message } from './message.js';
import { GATE_CLUSTER, GATE_ROUTES } from './names.js';
import type { EnvoyOptions } from './options.js';

/**
 * The internal listener behind which raw TCP is judged. It has no address, so there is no other way in than the
 * cluster below, and only the listeners of gated resources use that one.
 */
export function gateListener(options: EnvoyOptions): Message {
  const { gate, accessLog, folder } = options;
  const manager = connectionManager(
    { check: gateCheck(), guard: httpGuard(options) },
    {
      stat_prefix: 'gate',
      codec_type: 'HTTP2',
      http2_protocol_options: { allow_connect: true, ...GATE_WINDOWS },
      upgrade_configs: [{ upgrade_type: 'CONNECT' }],
      // The listener in front has the idle timeout.
      stream_idle_timeout: '0s',
      access_log: [gateLog(accessLog)],
      rds: { route_config_name: GATE_ROUTES, config_source: watchedFile(folder, 'rds-gate.yaml') },
    },
  );
  return {
    name: gate,
    internal_listener: {},
    per_connection_buffer_limit_bytes: GATE_BUFFER,
    filter_chains: [{ filters: [manager] }],
  };
}

/**
 * The way to the gate. One internal connection for each session: on a shared one a client could end the sessions of
 * others by many short ones, or freeze them by not reading.
 */
export function gateCluster({ gate }: EnvoyOptions): Message {
  const address = { envoy_internal_address: { server_listener_name: gate } };
  return {
    name: GATE_CLUSTER,
    type: 'STATIC',
    per_connection_buffer_limit_bytes: GATE_BUFFER,
    circuit_breakers: RAISED_BREAKERS,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'extensions.upstreams.http.v3.HttpProtocolOptions',
        {
          explicit_http_config: { http2_protocol_options: GATE_WINDOWS },
          common_http_protocol_options: { max_requests_per_connection: 1 },
        },
      ),
    },
    load_assignment: { cluster_name: GATE_CLUSTER, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}
