import { EXIT } from '../exit-codes.js';
import { failure, type Failure } from '../failure.js';
import type { NoAnswer } from './exchange.js';
import { NEEDS_TLS } from './needs-tls.js';

/** That nothing came back, with what to do about it. */
export function unreachable(target: string, error: NoAnswer): Failure {
  const reason = isPlain(error) ? 'what listens there speaks no TLS' : (WORDS[error.code] ?? wordsOf(error.message));
  return failure(EXIT.unreachable, `cannot reach ${target}: ${reason}`, adviceFor(error, target), { cause: error });
}

function isPlain({ code, message }: NoAnswer): boolean {
  return code === 'EPROTO' && /wrong version number|packet length too long/i.test(message);
}

/** What OpenSSL says, without where in its sources it says so. */
function wordsOf(message: string): string {
  const [, reason] = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+):/.exec(message) ?? [];
  return reason ?? message.trimEnd();
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ECONNRESET: 'the connection was closed before an answer came',
  EPIPE: 'the connection was closed before an answer came',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
};

function adviceFor(error: NoAnswer, target: string): string {
  const { code } = error;
  if (ISSUER.has(code)) return "name the CA of the service's certificate with --ca";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return "use a host name that the service's certificate carries in --url";
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return "the service's certificate is not valid at this time: renew it, or set the clock of this machine";
  if (isPlain(error))
    return `${NEEDS_TLS}; whoever has a token can use it meanwhile with --url ${target.replace(/^https/, 'http')}`;
  if (/^ERR_(?:OSSL|SSL|TLS)|^EPROTO$/.test(code)) return 'look at the files given with --cert, --key and --ca';
  if (code === 'EACCES') return 'the admin socket is for the user that the service runs as';
  if (code === 'ECONNRESET' && target.startsWith('http:'))
    return `the service may expect TLS there: try --url ${target.replace(/^http/, 'https')}`;
  return 'is the service running? name its address with --url, its socket with --admin-socket, or a --context';
}

const ISSUER: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);
