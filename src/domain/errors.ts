/** Failures a caller can act on. Anything else thrown is a bug or an outage, and its text stays inside. */
export type ErrorCode =
  | 'invalid_subject'
  | 'invalid_duration'
  | 'invalid_request'
  | 'unauthenticated'
  | 'not_permitted'
  | 'self_review'
  | 'no_policy'
  | 'choose_policy'
  | 'choose_subject'
  | 'justification_required'
  | 'unknown_target'
  | 'not_found'
  | 'already_decided'
  | 'digest_mismatch'
  | 'policy_changed'
  | 'idempotency_conflict'
  | 'precondition_failed'
  | 'too_many_pending'
  | 'quota_used_up'
  | 'storage_full'
  | 'storage_failed'
  | 'clock_suspect'
  | 'shutting_down';

export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly code: ErrorCode;

  /** `message` is shown to users. Put internal detail in `options.cause`, which is only logged. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
