import type { Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
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

/** The same question for a connection, asked once for each. Without names everybody that came through the handshake is admitted. */
export function admitting(names: readonly SubjectPattern[]): (session: Http2Session) => boolean {
  if (names.length === 0) return () => true;
  const known = new WeakMap<Http2Session, boolean>();
  return (session) => {
    const before = known.get(session);
    if (before !== undefined) return before;
    const der = (session.socket as Partial<TLSSocket>).getPeerCertificate?.().raw as Buffer | undefined;
    const admitted = der !== undefined && isNamed(der, names);
    known.set(session, admitted);
    return admitted;
  };
}

/** The same question for a certificate in DER; undefined where the peer has shown none. */
export function peerAdmitted(names: readonly SubjectPattern[]): (der: Buffer | undefined) => boolean {
  return (der) => names.length === 0 || (der !== undefined && isNamed(der, names));
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
