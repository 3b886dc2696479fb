import { EXIT } from '../exit-codes.js';
import { failure, type Failure } from '../failure.js';
import { printWay, type Way } from './way.js';

/** That Envoy did not answer, or somebody else did, with what to do about it. */
export function envoyUnreachable(way: Way, error: unknown): Failure {
  const code = codeOf(error);
  const reason = WORDS[code] ?? messageOf(error);
  return failure(EXIT.unreachable, `cannot reach ${printWay(way)}: ${reason}`, adviceFor(code, way), { cause: error });
}

/** What Envoy says when it does not take the certificate; over TLS 1.3 that comes behind the handshake. Null: something else. */
export function certificateRefused(code: string): string | null {
  return /_ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|DECRYPT_ERROR)$/.test(code)
    ? 'Envoy did not take your certificate: its CA is not one that Envoy knows, or it is not valid now'
    : null;
}

/** The system's code of an error, or TLS's. Where several addresses were tried, that of the first. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ETIMEDOUT: 'no answer in time',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ECONNRESET: 'the connection was closed in the handshake',
};

function adviceFor(code: string, { name }: Way): string {
  if (ISSUER.has(code)) return "name the CA of Envoy's certificate with --via-ca";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return "name what Envoy's certificate carries with --via-name";
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return "Envoy's certificate is not valid at this time: renew it, or set the clock of this machine";
  if (code === 'ECONNRESET')
    return `the listener may be reached by another name than ${JSON.stringify(name)} only: give it with --via-name`;
  return 'is Envoy running there? name its address with --via';
}

const ISSUER: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);
