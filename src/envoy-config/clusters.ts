import { isIP } from 'node:net';
import type { Resource } from '../domain/resource.js';
import { parseHostPort } from '../policy/host-port.js';
import { CHECK_TIMEOUT, EDGE_BUFFER, EDGE_HTTP2, GATE_BUFFER, RAISED_BREAKERS } from './limits.js';
import { pipe, socketAddress, typed, type Message } from './message.js';
import { grpcCluster, httpCluster, tcpCluster } from './names.js';
import type { ServiceTarget } from './options.js';
import { serviceTls } from './tls.js';

/** The upstreams of a resource: two names for one HTTP upstream, which speaks HTTP/2 for gRPC and HTTP/1.1 else. */
export function clustersOf({ name, http, tcp }: Resource): readonly Message[] {
  return [
    ...(http ? [upstream(httpCluster(name), http.upstream, EDGE_BUFFER)] : []),
    ...(http ? [{ ...upstream(grpcCluster(name), http.upstream, EDGE_BUFFER), ...http2(EDGE_HTTP2) }] : []),
    ...(tcp ? [upstream(tcpCluster(name), tcp.upstream, tcp.gate ? GATE_BUFFER : EDGE_BUFFER)] : []),
  ];
}

/**
 * The service: once for checks and once for the guards, so that neither can use up the other's connections. No retries, health checks or outlier detection: they would only delay the first answers after it is
 * back, and while it is away everything is denied in any case.
 */
export function serviceCluster(name: string, target: ServiceTarget): Message {
  const address = target.kind === 'unix' ? pipe(target.path) : socketAddress(target.host, target.port);
  return {
    ...cluster(name, address, target.kind === 'unix' ? 'STATIC' : typeFor(target.host)),
    connect_timeout: CHECK_TIMEOUT,
    ...http2({ connection_keepalive: { interval: '10s', timeout: '2s' } }),
    ...(target.kind === 'tcp' && { transport_socket: serviceTls(target.tls) }),
  };
}

function upstream(name: string, hostPort: string, buffer: number): Message {
  const { host, port } = parseHostPort(hostPort)!;
  return {
    ...cluster(name, socketAddress(host, port), typeFor(host)),
    connect_timeout: '5s',
    per_connection_buffer_limit_bytes: buffer,
  };
}

function cluster(name: string, address: Message, type: 'STATIC' | 'STRICT_DNS'): Message {
  return {
    name,
    type,
    ...(type === 'STRICT_DNS' && { dns_lookup_family: 'V4_PREFERRED' }),
    circuit_breakers: RAISED_BREAKERS,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function typeFor(host: string): 'STATIC' | 'STRICT_DNS' {
  return isIP(host) ? 'STATIC' : 'STRICT_DNS';
}

function http2(options: Message): Message {
  return {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'extensions.upstreams.http.v3.HttpProtocolOptions',
        { explicit_http_config: { http2_protocol_options: options } },
      ),
    },
  };
}
