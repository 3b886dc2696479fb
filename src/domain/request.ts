import type { Binding } from './binding.js';
import { canonicalJson } from './canonical.js';
import { base32, type GrantId, type RequestId } from './ids.js';
import type { ActionName, PersonId, PolicyName, ResourceName } from './names.js';
import type { Patterns } from './resource.js';
import type { Subject } from './subject.js';
import type { Duration, Instant } from './time.js';

/**
 * A subject asks for a resource with a justification and a duration. Everything but `settled` and `revision` is
 * immutable: an edit is a new request.
 */
export interface AccessRequest {
  readonly id: RequestId;
  readonly subject: Subject;
  /** The human behind the subject at the time of asking. */
  readonly person: PersonId;
  /** Who asked, as `printActor` writes it: the person, or a service on its behalf. */
  readonly askedBy: string;
  readonly resource: ResourceName;
  readonly actions: readonly ActionName[];
  /** What the actions mean, at the time of asking: an approval is for that and no more. */
  readonly patterns: Patterns;
  readonly duration: Duration;
  /** Empty where the policy does not require one. */
  readonly justification: string;
  readonly policy: PolicyName;
  readonly policyDigest: string;
  /** What the grant will be bound to; absent: to nothing but the subject. */
  readonly binding?: Binding;
  /** The connection that asked by waiting at the door; absent where somebody asked in words. */
  readonly connection?: Connection;
  readonly createdAt: Instant;
  /** From this instant on an unanswered request is `lapsed`. */
  readonly lapsesAt: Instant;
  /** SHA-256 of the canonical bytes of all of the above, in hexadecimal: what reviewers approve. */
  readonly digest: string;
  readonly settled: Settled | null;
  /** Number of the change that wrote this state; its ETag. */
  readonly revision: number;
}

/** What is known of a connection that waits, none of it from its user's own words. */
export interface Connection {
  /** Address and port, as Envoy reports them. */
  readonly source: string;
  /** Digest of the certificate's public key, hexadecimal. */
  readonly key: string;
  /** `GET /path` without the query for HTTP; null for TCP. */
  readonly request: string | null;
}

/** What a person did to a request. That nobody did anything in time is computed, never stored. */
interface Settled {
  readonly state: 'approved' | 'denied' | 'withdrawn';
  readonly at: Instant;
}

/** All states of a request; all but the first are final. */
export const REQUEST_STATES = ['pending', 'approved', 'denied', 'withdrawn', 'lapsed'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** What a requester says and reviewers approve; it never changes. */
export type RequestContent = Omit<AccessRequest, 'digest' | 'settled' | 'revision'>;

/** SHA-256, handed in because the rules know no platform. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Derived, never stored: no job has to run for a request to lapse. */
export function requestStateOf(request: AccessRequest, now: Instant): RequestState {
  if (request.settled) return request.settled.state;
  return now < request.lapsesAt ? 'pending' : 'lapsed';
}

/**
 * The bytes a reviewer approves. Adding a field here needs a new `v`: old requests keep their digest. Version 2 is for
 * requests with a binding or a connection.
 */
export function canonicalRequest(content: RequestContent): Uint8Array {
  const { id, subject, person, askedBy, resource, actions, patterns, duration, justification, policy } = content;
  const { policyDigest, createdAt, lapsesAt, binding, connection } = content;
  const what = { subject, person, askedBy, resource, actions, patterns, duration, justification };
  const members = { id, ...what, policy, policyDigest, createdAt, lapsesAt };
  if (!binding && !connection) return new TextEncoder().encode(canonicalJson({ v: 1, ...members }));
  const more = { binding: binding ? { ...binding } : null, connection: connection ? { ...connection } : null };
  return new TextEncoder().encode(canonicalJson({ v: 2, ...members, ...more }));
}

/** SHA-256 of the canonical bytes, in hexadecimal. */
export function requestDigest(content: RequestContent, sha256: Sha256): string {
  return [...sha256(canonicalRequest(content))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A grant's id follows from its request's digest, so a request can give birth to one grant and no more.
 *
 * @throws {RangeError} for what is no digest: all of those would share an id
 */
export function grantIdOf(digest: string): GrantId {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError(`no SHA-256 in hexadecimal: ${JSON.stringify(digest)}`);
  const bytes = Uint8Array.from(digest.slice(0, 32).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return `gr_${base32(bytes)}` as GrantId;
}
