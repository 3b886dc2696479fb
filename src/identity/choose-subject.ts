import { deny, type Deny } from '../domain/decision.js';
import { printDn } from '../domain/dn.js';
import { AccessError } from '../domain/errors.js';
import { subjectOf, type Subject, type SubjectKind } from '../domain/subject.js';
import { maySpeakFor, type TrustEntry } from '../domain/trust.js';
import type { Certificate } from './certificate.js';
import { CertificateError } from './der.js';

/**
 * Who the certificate speaks for: the one name of the first kind, in the order of the trust entry, of which it has any.
 * A kind that has candidates is never passed over for a later one, whatever is wrong with them.
 *
 * @throws {CertificateError} when the name is none that a subject can have
 */
export function chooseSubject(certificate: Certificate, entry: TrustEntry): Subject | Deny {
  for (const kind of entry.subject) {
    const [value, ...others] = candidates(certificate, kind);
    if (value === undefined) continue;
    if (others.length > 0)
      return deny('ambiguous_subject', { message: `the certificate has ${others.length + 1} names of kind "${kind}"` });
    const subject = valid({ trust: entry.name, kind, value });
    if (maySpeakFor(entry, subject)) return subject;
    return deny('untrusted_issuer', { message: `trust entry "${entry.name}" may not speak for ${subject}` });
  }
  throw new CertificateError(`the certificate has no name of the kinds ${entry.subject.join(', ')}`);
}

function candidates({ subject, extensions: { names } }: Certificate, kind: SubjectKind): readonly string[] {
  switch (kind) {
    case 'uri':
    case 'dns':
    case 'email':
      return names?.[kind] ?? [];
    case 'dn':
      // Beside alternative names of any type the distinguished name is decoration that nobody has checked.
      return names === null && subject.dn.length > 0 ? [printDn(subject.dn)] : [];
  }
}

function valid(parts: Parameters<typeof subjectOf>[0]): Subject {
  try {
    return subjectOf(parts);
  } catch (cause) {
    throw new CertificateError(cause instanceof AccessError ? cause.message : 'the name is broken', { cause });
  }
}
