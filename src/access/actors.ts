import type { Actor } from '../domain/actor.js';
import type { Sha256 } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { isUsable } from '../domain/token.js';
import { isClaimed, type Directory } from '../domain/who.js';
import type { Snapshot } from '../store/store.js';
import { tokenOpenedBy } from './token.js';

/** Who calls with a verified certificate. */
export function actorOfSubject(subject: Subject, directory: Directory): Actor {
  const person = directory.personOf.get(subject);
  if (person === undefined) return { kind: 'subject', subject, via: 'certificate' };
  return { kind: 'person', person, subject, via: 'certificate' };
}

/** Who calls with a bearer token; null when the token opens nothing (any more). */
export function actorOfToken(
  snapshot: Snapshot,
  secret: string,
  { directory, now, sha256 }: { readonly directory: Directory; readonly now: Instant; readonly sha256: Sha256 },
): Actor | null {
  const token = tokenOpenedBy(snapshot, secret, sha256);
  if (!token || !isUsable(token, now)) return null;
  if (token.holder.kind === 'service') {
    return { kind: 'service', name: token.holder.name, subject: token.holder.subject, via: token.id };
  }
  // Whoever has left the policy folder has left.
  if (!isClaimed(directory, token.holder.person)) return null;
  return { kind: 'person', person: token.holder.person, subject: null, via: token.id };
}
