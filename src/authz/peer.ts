import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { subjectOf, type Subject, type SubjectKind } from '../domain/subject.js';
import { matchesSubject, type SubjectPattern } from '../domain/subject-pattern.js';
import type { TrustName } from '../domain/names.js';
import { readCertificate } from '../identity/certificate.js';

/**
 * Lets only peers with one of these names call, on a listener with mutual TLS: the handshake has verified the CA, and
 * others may hold certificates of the same CA. Others are refused with a gRPC error, which no Envoy of ours ever sees.
 */
export function onlyPeers(names: readonly SubjectPattern[]): ServerInterceptor {
  return (_method, call) => {
    const der = call.getAuthContext().sslPeerCertificate?.raw;
    if (der !== undefined && isNamed(der, names)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start(next) {
        next();
        call.sendStatus({ code: status.UNAUTHENTICATED, details: 'this peer is not among listen.authz.tls.names' });
      },
    });
  };
}

function isNamed(der: Buffer, names: readonly SubjectPattern[]): boolean {
  try {
    const { uri = [], dns = [], email = [] } = readCertificate(der).extensions.names ?? {};
    const subjects = [...uri.map(as('uri')), ...dns.map(as('dns')), ...email.map(as('email'))];
    return names.some((pattern) => subjects.some((subject) => matchesSubject(pattern, subject)));
  } catch {
    return false;
  }
}

/** Patterns are held against subjects; which trust entry a peer's name would belong to plays no part. */
function as(kind: SubjectKind): (value: string) => Subject {
  return (value) => subjectOf({ trust: 'peer' as TrustName, kind, value });
}
