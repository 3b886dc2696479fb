import type { ResourceName } from '../domain/names.js';
import { extension, type Message } from './message.js';

const HTTP_METADATA = 'envoy.filters.http.ext_authz';
const TCP_METADATA = 'envoy.filters.network.ext_authz';

/** What every line has. `source` joins the two lines of a session that passed the gate. */
const COMMON = {
  time: '%START_TIME%',
  event: '%ACCESS_LOG_TYPE%',
  flags: '%RESPONSE_FLAGS%',
  duration_ms: '%DURATION%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  upstream: '%UPSTREAM_HOST%',
};

const PEER = {
  source: '%DOWNSTREAM_REMOTE_ADDRESS%',
  peer_certificate: '%DOWNSTREAM_PEER_FINGERPRINT_256%',
  tls_version: '%DOWNSTREAM_TLS_VERSION%',
};

/** One line for each HTTP request. Paths without their query, which often holds secrets. */
export function httpLog(path: string): Message {
  return fileLog(path, {
    listener: 'http',
    ...decision(HTTP_METADATA),
    ...COMMON,
    ...PEER,
    protocol: '%PROTOCOL%',
    method: '%REQ(:METHOD):32%',
    authority: '%REQ(:AUTHORITY):255%',
    path: '%PATH(NQ:PATH):1024%',
    status: '%RESPONSE_CODE%',
    details: '%RESPONSE_CODE_DETAILS%',
  });
}

/** One line for each session that asked to pass the gate. */
export function gateLog(path: string): Message {
  return fileLog(path, {
    listener: 'gate',
    ...decision(HTTP_METADATA),
    ...COMMON,
    source: '%REQ(X-PORTCULLIS-LOG-SOURCE)%',
    status: '%RESPONSE_CODE%',
    details: '%RESPONSE_CODE_DETAILS%',
  });
}

/** One line for each connection to a listener in front of the gate; `tunnel` is how the gate answered. */
export function gatedLog(path: string, name: ResourceName): Message {
  return fileLog(path, {
    listener: 'tcp',
    resource: name,
    ...COMMON,
    ...PEER,
    tunnel: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  });
}

/** One line for each connection that the network filter judged. */
export function tcpLog(path: string): Message {
  return fileLog(path, {
    listener: 'tcp',
    ...decision(TCP_METADATA),
    ...COMMON,
    ...PEER,
  });
}

/** Connections that ended in the handshake: without a certificate, with one of a foreign CA, expired. */
export function handshakeLog(path: string, listener: string): Message {
  const { time, flags, duration_ms } = COMMON;
  const log = fileLog(path, {
    listener,
    time,
    event: 'HandshakeFailed',
    flags,
    duration_ms,
    source: PEER.source,
    failure: '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
  });
  return { ...log, filter: HANDSHAKE_FAILED };
}

// A client that the network filter denies has a failure too, the alert that it is told by, and a flag beside it.
const HANDSHAKE_FAILED = {
  extension_filter: extension('cel', 'extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
    expression: "connection.transport_failure_reason != '' && response.flags == 0",
  }),
};

function decision(namespace: string): Record<string, string> {
  const fields = ['decision_id', 'grant_id', 'request_id', 'policy', 'subject', 'resource', 'reason'];
  return Object.fromEntries(fields.map((field) => [field, `%DYNAMIC_METADATA(${namespace}:${field})%`]));
}

function fileLog(path: string, line: Message): Message {
  return extension('envoy.access_loggers.file', 'extensions.access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: { json_format: line },
  });
}
