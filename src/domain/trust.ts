import type { TrustName } from './names.js';
import { matchesSubject, type SubjectPattern } from './subject-pattern.js';
import { partsOf, type Subject, type SubjectKind } from './subject.js';

/** One set of issuers that Envoy verifies clients against, and what they may speak for. */
export interface TrustEntry {
  readonly name: TrustName;
  /** Which names of a certificate count, first match wins. */
  readonly subject: readonly SubjectKind[];
  /** Names these issuers may speak for; null means all. A partner's CA cannot issue our names. */
  readonly names: readonly SubjectPattern[] | null;
}

/** Whether a certificate of this entry's issuers may carry the subject. No entry speaks for subjects of another. */
export function maySpeakFor(entry: TrustEntry, subject: Subject): boolean {
  if (partsOf(subject).trust !== entry.name) return false;
  return entry.names === null || entry.names.some((pattern) => matchesSubject(pattern, subject));
}
