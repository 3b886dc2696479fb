import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { Limits } from './limits.js';

/** Which way callers come in. It decides who can be believed to be whom. */
export type Door =
  | {
      /** TCP with TLS: a client certificate, a bearer token, or both. */ readonly kind: 'tls';
      readonly https: ServerOptions;
    }
  | { /** TCP without TLS, on loopback only: a bearer token. */ readonly kind: 'plain' }
  | { /** A Unix socket that only the host can open: whoever comes in is the host. */ readonly kind: 'socket' };

/** PEM texts. `ca` is only told to clients as a hint which certificate to choose; the identifier judges what they send. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  readonly ca?: readonly string[];
}

/**
 * What a TLS server of this API needs: it asks for a client certificate and takes whatever comes, since who a
 * certificate speaks for is established from its own bytes by the identifier, as it is for Envoy's clients. That the
 * client holds its key is proved by the handshake. Sessions are not resumed, so every connection proves it anew.
 */
export function httpsOptions({ cert, key, ca }: ServerCertificate): ServerOptions {
  return {
    cert,
    key,
    ...(ca && { ca: [...ca] }),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: 10_000,
  };
}

/** Options of the HTTP server itself, for each kind of door. */
export function serverOptions(door: Door, limits: Limits) {
  const http = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    insecureHTTPParser: false,
  };
  const timeouts = { requestTimeout: limits.requestMs, keepAliveTimeout: limits.keepAliveMs };
  return door.kind === 'tls' ? { ...timeouts, https: { ...door.https, ...http } } : { ...timeouts, http };
}
