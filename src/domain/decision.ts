import type { Brand } from './brand.js';
import type { GrantId, LockId, RequestId } from './ids.js';
import type { PolicyName } from './names.js';
import type { Instant } from './time.js';

/** Every reason a check can be denied for. A closed list: texts, metrics and clients rely on it. */
export const DENY_REASONS = [
  'no_certificate',
  'untrusted_issuer',
  'ambiguous_subject',
  'certificate_not_valid_now',
  'certificate_revoked',
  'unknown_resource',
  'ambiguous_resource',
  'locked',
  'denied_by_policy',
  'no_grant',
  'not_started',
  'expired',
  'unused',
  'revoked',
  'returned',
  'transferred',
  'exhausted',
  'policy_changed',
  'pending_approval',
  'out_of_scope',
  'bound_to_other_key',
  'bound_to_other_source',
  'outside_window',
  'condition_error',
  'malformed',
  'clock_suspect',
  'stale',
  'storage_failed',
  'overloaded',
  'guard_not_ready',
  'shutting_down',
] as const;
export type DenyReason = (typeof DENY_REASONS)[number];

/** Made by `decide` alone, so nothing else can become an allow on the wire. */
export type Allow = Brand<
  {
    readonly effect: 'allow';
    readonly grantId: GrantId;
    readonly requestId: RequestId;
    readonly policy: PolicyName;
    /** When this access ends at the latest: the earliest of everything that is known to end it. */
    readonly endsAt: Instant;
  },
  'Allow'
>;

/** Every answer that is not an allow. */
export interface Deny {
  readonly effect: 'deny';
  readonly reason: DenyReason;
  /** The grant that explains the reason, if one does. */
  readonly grantId?: GrantId;
  /** The request that still waits, for `pending_approval`. */
  readonly requestId?: RequestId;
  readonly lockId?: LockId;
  /** What the lock tells whoever it hits, or what a missing setting is called. */
  readonly message?: string;
}

/** The answer to one check. */
export type Decision = Allow | Deny;

/** A deny for this reason, with what explains it. */
export function deny(reason: DenyReason, why: Omit<Deny, 'effect' | 'reason'> = {}): Deny {
  return { effect: 'deny', reason, ...why };
}
