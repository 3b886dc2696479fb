import { isIP } from 'node:net';
import { extension, type Message } from './message.js';
import type { ClientTls, EnvoyOptions } from './options.js';

const TLS = 'extensions.transport_sockets.tls.v3';

/** Protocols that a listener offers; none for raw TCP. */
type Protocols = readonly ('h2' | 'http/1.1')[];

/**
 * Every client shows a certificate that one of our CAs has signed. Nothing is resumed: a resumed session skips the
 * certificate, and with it its expiry.
 */
export function downstreamTls({ server, clientCa }: EnvoyOptions, protocols: Protocols): Message {
  return extension('envoy.transport_sockets.tls', `${TLS}.DownstreamTlsContext`, {
    require_client_certificate: true,
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificates: [{ certificate_chain: file(server.cert), private_key: file(server.key) }],
      validation_context: { trusted_ca: file(clientCa), trust_chain_verification: 'VERIFY_TRUST_CHAIN' },
      ...(protocols.length > 0 && { alpn_protocols: protocols }),
    },
  });
}

/** Towards the service: both sides are known by name, not only by CA. */
export function serviceTls({ ca, cert, key, name }: ClientTls): Message {
  const kind = kindOf(name);
  return extension('envoy.transport_sockets.tls', `${TLS}.UpstreamTlsContext`, {
    ...(kind === 'DNS' && { sni: name }),
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificates: [{ certificate_chain: file(cert), private_key: file(key) }],
      validation_context: {
        trusted_ca: file(ca),
        match_typed_subject_alt_names: [{ san_type: kind, matcher: { exact: name } }],
      },
      alpn_protocols: ['h2'],
    },
  });
}

function file(filename: string): Message {
  return { filename };
}

function kindOf(name: string): 'URI' | 'IP_ADDRESS' | 'DNS' {
  if (name.includes('://')) return 'URI';
  return isIP(name) ? 'IP_ADDRESS' : 'DNS';
}
