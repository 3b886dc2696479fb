import { canonicalJson } from './canonical.js';
import type { DecisionRecord } from './decision-record.js';
import type { DenyReason } from './decision.js';
import { isCurable } from './deny-text.js';
import { base32, type DecisionId, type DraftId } from './ids.js';
import type { ActionName, PolicyName, ResourceName } from './names.js';
import { admittedActions, preferredOf, type Policy, type PolicySet } from './policy.js';
import type { Sha256 } from './request.js';
import type { Subject } from './subject.js';
import { days, type Instant } from './time.js';

/** What a refused connection leaves behind for its person to submit. It is no request: nobody is asked by it. */
export interface Draft extends DraftTarget {
  /** Follows from what it is for, so that the same refusal leaves the same draft. */
  readonly id: DraftId;
  /** Of the last refusal, as are `request`, `source`, `decisionId` and `lastAt`. */
  readonly reason: DenyReason;
  /** `GET /path` without the query for HTTP; null for TCP. */
  readonly request: string | null;
  readonly source: string | null;
  readonly decisionId: DecisionId;
  /** How many refusals have left it. */
  readonly count: number;
  /** The first refusal. */
  readonly createdAt: Instant;
  readonly lastAt: Instant;
  /** From this instant on it is gone, whether or not it has been dropped. */
  readonly expiresAt: Instant;
}

/** What a draft is for. Everything in it comes from the service itself: no client chooses a word of it. */
export interface DraftTarget {
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly action: ActionName;
  readonly policy: PolicyName;
}

/** How long a draft lasts after the last refusal that left it. */
export const DRAFT_KEPT = days(7);

/** The draft that is refused least lately goes when there would be more. */
export const MAX_DRAFTS_OF_SUBJECT = 20;

/** Of everybody together. */
export const MAX_DRAFTS = 10_000;

/** 16 bytes of a digest over the target. Whoever can name all of it can work out the id: it opens nothing. */
export function draftIdOf({ subject, resource, action, policy }: DraftTarget, sha256: Sha256): DraftId {
  const bytes = new TextEncoder().encode(canonicalJson(['draft', subject, resource, action, policy]));
  return `dft_${base32(sha256(bytes).subarray(0, 16))}` as DraftId;
}

export function isUnexpired({ expiresAt }: Pick<Draft, 'expiresAt'>, now: Instant): boolean {
  return now < expiresAt;
}

/** What a refusal leaves a draft for, and under which policy; null where it leaves none. */
export interface Drafting {
  readonly target: DraftTarget;
  readonly policy: Policy;
}

/**
 * Whether a refusal leaves a draft: a request would cure it, and a policy that wants drafts would admit that request.
 * Where a request waits already there is nothing to submit. Of several actions that would do, it is for the first in the
 * order in which the resource names them; of several policies under the one with the highest priority, else the first
 * by name: a draft is a proposal, and its person may ask under another one.
 */
export function draftingFor(refused: DecisionRecord, set: PolicySet): Drafting | null {
  const { effect, reason, subject, resource: name, requestId } = refused;
  if (effect !== 'deny' || reason === null || !isCurable(reason) || requestId !== null) return null;
  const drafting = draftingPolicies(set);
  const resource = name === null ? undefined : set.resources.get(name);
  if (drafting.length === 0 || subject === null || resource === undefined) return null;
  for (const action of refused.actions) {
    const admitting = drafting.filter((policy) => admittedActions(set, policy, subject, resource).includes(action));
    const policy = preferredOf(admitting) ?? admitting[0];
    if (policy) return { policy, target: { subject, resource: resource.name, action, policy: policy.name } };
  }
  return null;
}

const known = new WeakMap<PolicySet, readonly Policy[]>();

/** By name. Worked out once for a policy set: strangers are refused as often as they like. */
function draftingPolicies(set: PolicySet): readonly Policy[] {
  const before = known.get(set);
  if (before) return before;
  const policies = [...set.policies.values()]
    .filter(({ onDeny }) => onDeny === 'draft')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  known.set(set, policies);
  return policies;
}
