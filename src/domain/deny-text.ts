import type { DenyReason } from './decision.js';
import type { DraftId } from './ids.js';
import type { ActionName } from './names.js';

/**
 * What a denied person reads. Stable texts: people search for them. They say what to do next and never whether another
 * subject would be allowed.
 */
export const DENY_TEXT = {
  no_certificate: 'the connection carried no client certificate',
  untrusted_issuer: 'the certificate was not issued by a CA that may speak for its name',
  ambiguous_subject: 'the certificate holds more than one name of the kind that counts; use one with exactly one',
  certificate_not_valid_now: 'the certificate is not valid at this time; renew it',
  certificate_revoked: 'the certificate has been revoked; use another one',
  unknown_resource: 'what is asked for belongs to no resource that the service knows',
  ambiguous_resource: 'the configuration names two different resources for this request; its operator must look at it',
  locked: 'a lock is in force',
  denied_by_policy: 'a policy forbids this access',
  no_grant: 'there is no grant for this access; ask for one',
  not_started: 'the grant has not started yet',
  expired: 'the grant has expired; ask for access again',
  unused: 'the grant was not used in time; ask for access again',
  revoked: 'the grant was revoked; ask for access again if you still need it',
  returned: 'the grant was returned; ask for access again if you still need it',
  transferred: 'the grant was transferred to somebody else',
  exhausted: 'the grant has been used as often as it allows; ask for access again',
  policy_changed: 'the policies no longer admit this grant; ask for access again',
  pending_approval: 'the access request still waits for approval',
  out_of_scope: 'the grant does not cover this action; ask for one that does',
  bound_to_other_key: 'the grant is bound to another key; ask for access with this one',
  bound_to_other_source: 'the grant is bound to another source address; ask for access from this one',
  outside_window: 'the access is outside its time window',
  condition_error: 'judging the access failed; the log of the service says why',
  malformed: 'the request or the certificate has no single meaning and is not interpreted',
  clock_suspect: 'the clock of the service is suspect, so nothing is allowed; its operator must look at it',
  stale: 'the decision took too long to be relied on; try again',
  storage_failed: 'the storage of the service cannot be relied on, so nothing is allowed; its operator must look at it',
  overloaded: 'the service could not decide in time; try again',
  guard_not_ready: 'the session guard is not ready; try again',
  shutting_down: 'the service is shutting down; try again',
} as const satisfies Record<DenyReason, string>;

/** Reasons that lie with the service, not with the access: HTTP 503 instead of 403. */
const OUTAGES: ReadonlySet<DenyReason> = new Set([
  'condition_error',
  'clock_suspect',
  'stale',
  'storage_failed',
  'overloaded',
  'guard_not_ready',
  'shutting_down',
] as const);

export function isOutage(reason: DenyReason): boolean {
  return OUTAGES.has(reason);
}

/** Reasons that a new access request may cure. */
const CURABLE: ReadonlySet<DenyReason> = new Set([
  'no_grant',
  'expired',
  'unused',
  'revoked',
  'returned',
  'exhausted',
  'policy_changed',
  'out_of_scope',
  'bound_to_other_key',
  'bound_to_other_source',
] as const);

export function isCurable(reason: DenyReason): boolean {
  return CURABLE.has(reason);
}

/** A draft as a refusal names it. */
export interface NamedDraft {
  readonly id: DraftId;
  /** Of its policy: whether submitting it takes a word. */
  readonly justification: 'required' | 'optional';
}

/** What whoever is denied may ask for. */
export interface Asking {
  /** What the refusal has left to submit. */
  readonly draft?: NamedDraft | null;
  /** Of the actions that were refused, those that some policy lets the subject ask for; absent where nobody has looked. */
  readonly admitted?: readonly ActionName[];
}

/** Whether access may be had for the asking, and no policy admits this subject to it. */
export function isVain(reason: DenyReason, { draft = null, admitted }: Asking): boolean {
  return isCurable(reason) && draft === null && admitted?.length === 0;
}

/** What is told beside the reason then. */
export const NOT_ADMITTED = 'no policy lets you ask for it; speak to whoever looks after it';

/** The text of a reason, without the advice to ask where that is of no use. */
export function denyText(reason: DenyReason, asking: Asking = {}): string {
  return isVain(reason, asking) ? DENY_TEXT[reason].replace(/; ask for .*$/, '') : DENY_TEXT[reason];
}

/** The command that asks for access, where asking may help: just for what was refused, where there is a draft of it. */
export function cureFor(reason: DenyReason, resource: string | null, asking: Asking = {}): string | null {
  const { draft = null, admitted = [] } = asking;
  if (resource === null || !isCurable(reason) || isVain(reason, asking)) return null;
  const action = reason === 'out_of_scope' && admitted[0] !== undefined ? ` --action ${admitted[0]}` : '';
  if (draft === null) return `portcullis request ${resource}${action} --reason "..."`;
  return `portcullis request --draft ${draft.id}${draft.justification === 'required' ? ' --reason "..."' : ''}`;
}
