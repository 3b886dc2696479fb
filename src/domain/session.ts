import type { Brand } from './brand.js';
import type { DecisionId, GrantId, SessionId } from './ids.js';
import type { PersonId, PolicyName, ResourceName } from './names.js';
import type { Subject } from './subject.js';
import type { Instant } from './time.js';

/** Names one guard for as long as it lives: 32 hexadecimal digits that it has drawn. */
export type GuardId = Brand<string, 'GuardId'>;

/** A guard as it has introduced itself. */
export interface GuardName {
  readonly id: GuardId;
  /** Of its Envoy; two guards may share it. */
  readonly node: string;
  readonly cluster: string;
  readonly envoyVersion: string;
}

/** How a session runs: a long HTTP stream, an upgraded one, raw TCP behind the gate, TCP with the network filter. */
export const SESSION_PROTOCOLS = ['http', 'upgrade', 'gate', 'tcp'] as const;
export type SessionProtocol = (typeof SESSION_PROTOCOLS)[number];

/** A live connection or stream under a grant. What is here never changes while it lives. */
export interface Session {
  readonly id: SessionId;
  /** What it began under; another grant may have taken over since. */
  readonly grantId: GrantId;
  /** The check that let it in; null where its guard names none. */
  readonly decisionId: DecisionId | null;
  readonly policy: PolicyName;
  readonly subject: Subject;
  readonly person: PersonId;
  readonly resource: ResourceName;
  readonly protocol: SessionProtocol;
  /** Where the client connected from. */
  readonly downstream: string | null;
  /** By the clock of Envoy's host. */
  readonly startedAt: Instant;
  readonly guard: GuardId;
  readonly node: string;
}

/**
 * Why a session can end. `closed`: by client or upstream; `unseen`: while its guard was out of contact, nobody knows why;
 * `gone`: its guard has not come back within the contact grace, and has cut it by then; `refused`: the guard itself would
 * not have it; the rest are cuts.
 */
export const SESSION_END_REASONS = [
  'closed',
  'expired',
  'revoked',
  'returned',
  'policy_changed',
  'exhausted',
  'transferred',
  'unused',
  'locked',
  'cut',
  'idle',
  'too_many_sessions',
  'contact_lost',
  'gone',
  'unseen',
  'refused',
] as const;
export type SessionEndReason = (typeof SESSION_END_REASONS)[number];

/** How a session has ended. */
export interface SessionEnd {
  readonly reason: SessionEndReason;
  readonly at: Instant;
  /** Milliseconds from the change that ended it, once on disk, until its guard said that it is closed; null where no change did. */
  readonly cutAfter: number | null;
  /** Null where it never became known. */
  readonly upstream: string | null;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}
