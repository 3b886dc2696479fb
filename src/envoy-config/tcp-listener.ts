import type { Resource } from '../domain/resource.js';
import { gatedLog, handshakeLog, tcpLog } from './access-log.js';
import { tcpCheck } from './ext-authz.js';
import { tcpGuard } from './guard.js';
import { ARRIVAL_TIMEOUT, EARLY_DATA, EDGE_BUFFER, GATE_BUFFER, IDLE_TIMEOUT, printSeconds } from './limits.js';
import { extension, socketAddress, type Message } from './message.js';
import { GATE_CLUSTER, tcpCluster, tcpListener } from './names.js';
import type { EnvoyOptions } from './options.js';
import { downstreamTls } from './tls.js';

export type TcpResource = Pick<Resource, 'name'> & { readonly tcp: NonNullable<Resource['tcp']> };

/** A listener for one TCP resource, in front of the gate or with the network filter. It depends on no other resource. */
export function listenerFor(resource: TcpResource, options: EnvoyOptions): Message {
  const { name, tcp } = resource;
  const tls = { transport_socket: downstreamTls(options, []), transport_socket_connect_timeout: ARRIVAL_TIMEOUT };
  return {
    name: tcpListener(name),
    address: socketAddress(options.address, tcp.port),
    per_connection_buffer_limit_bytes: tcp.gate ? GATE_BUFFER : EDGE_BUFFER,
    access_log: [handshakeLog(options.accessLog, tcpListener(name))],
    ...(tcp.sni !== null && { listener_filters: [TLS_INSPECTOR], listener_filters_timeout: ARRIVAL_TIMEOUT }),
    filter_chains: [
      {
        ...(tcp.sni !== null && { filter_chain_match: { server_names: [tcp.sni] } }),
        ...tls,
        filters: tcp.gate
          ? [toGate(resource, options)]
          : [tcpCheck(name), tcpGuard(options), toUpstream(resource, options)],
      },
    ],
  };
}

const TLS_INSPECTOR = extension(
  'envoy.filters.listener.tls_inspector',
  'extensions.filters.listener.tls_inspector.v3.TlsInspector',
);

/** Opens a CONNECT stream to the gate when the handshake is done, whether or not the client has said anything. */
function toGate({ name }: TcpResource, { accessLog }: EnvoyOptions): Message {
  return tcpProxy({
    stat_prefix: tcpListener(name),
    cluster: GATE_CLUSTER,
    upstream_connect_mode: 'ON_DOWNSTREAM_TLS_HANDSHAKE',
    max_early_data_bytes: EARLY_DATA,
    tunneling_config: {
      hostname: name,
      // Behind the gate the peer is Envoy itself, so the certificate travels along. Clients cannot reach these
      // headers: what they send is the body of the stream.
      headers_to_add: [
        written('x-portcullis-peer', '%DOWNSTREAM_PEER_CERT%'),
        written('x-portcullis-source', '%DOWNSTREAM_REMOTE_ADDRESS%'),
        // For the gate's log line: the two above are removed before it is written.
        written('x-portcullis-log-source', '%DOWNSTREAM_REMOTE_ADDRESS%'),
      ],
    },
    access_log: [gatedLog(accessLog, name)],
  });
}

/** The upstream is dialled when the client has spoken: the check runs then, and not before. */
function toUpstream({ name }: TcpResource, { accessLog, maxSession }: EnvoyOptions): Message {
  return tcpProxy({
    stat_prefix: tcpListener(name),
    cluster: tcpCluster(name),
    upstream_connect_mode: 'ON_DOWNSTREAM_DATA',
    max_early_data_bytes: EARLY_DATA,
    max_downstream_connection_duration: printSeconds(maxSession),
    access_log_options: { flush_access_log_on_connected: true },
    access_log: [tcpLog(accessLog)],
  });
}

function tcpProxy(fields: Message): Message {
  return extension('envoy.filters.network.tcp_proxy', 'extensions.filters.network.tcp_proxy.v3.TcpProxy', {
    ...fields,
    idle_timeout: IDLE_TIMEOUT,
  });
}

function written(key: string, value: string): Message {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}
