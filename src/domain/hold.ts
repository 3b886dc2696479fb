import { whyUnbound } from './binding.js';
import { bearerOf, type Question } from './decide.js';
import type { DenyReason } from './decision.js';
import { minutes, type Duration, type Instant } from './time.js';
import type { ActionName, ResourceName } from './names.js';
import { admittedActions, coveredActions, preferredOf, stillAdmits, type Policy, type PolicySet } from './policy.js';
import { requestStateOf, type AccessRequest } from './request.js';

/** No connection waits longer, whatever a policy says: clients and whatever lies before Envoy give up as well. */
export const LONGEST_HOLD = minutes(5);

/** An answer leaves this long before whoever asked gives up: it has a way to go. */
export const HOLD_MARGIN = 500 as Duration;

/**
 * Reasons with which nothing is missing but an approval. A revoke is not among them: somebody has just ended this access
 * on purpose, and a program that connects again by itself must not ask them for it again.
 */
const CURED_BY_APPROVAL: ReadonlySet<DenyReason> = new Set([
  'no_grant',
  'pending_approval',
  'expired',
  'unused',
  'returned',
  'exhausted',
  'policy_changed',
  'out_of_scope',
  'bound_to_other_key',
  'bound_to_other_source',
] as const);

/** Whether an approval is all that is missing. */
export function mayWait(reason: DenyReason): boolean {
  return CURED_BY_APPROVAL.has(reason);
}

/** Under which policy a connection may wait, and for which action. */
export interface Holding {
  readonly policy: Policy & { readonly hold: Duration };
  readonly action: ActionName;
}

/**
 * Whether what was denied may wait for its approval. Of several actions that would do, it waits for the first in the
 * order in which the resource names them; of several policies, under the one with the highest priority. Where that is
 * not one alone there is nobody to choose, so nothing is held.
 */
export function holdingFor(reason: DenyReason, question: Question, set: PolicySet): Holding | null {
  const { subject, resource: named, actions } = question;
  if (!mayWait(reason)) return null;
  if ('effect' in subject || 'effect' in named || 'effect' in actions) return null;
  const resource = set.resources.get(named.is);
  if (resource === undefined) return null;
  const holding = policiesThatHold(set);
  for (const action of actions) {
    const admitting = holding.filter((policy) => admittedActions(set, policy, subject.is, resource).includes(action));
    if (admitting.length === 0) continue;
    const policy = preferredOf(admitting);
    return policy && { policy, action };
  }
  return null;
}

const holdingIn = new WeakMap<PolicySet, readonly Holding['policy'][]>();

/** Found once for each set: most have none, and every deny asks. */
function policiesThatHold(set: PolicySet): readonly Holding['policy'][] {
  const known = holdingIn.get(set);
  if (known) return known;
  const found = [...set.policies.values()].filter(canHold);
  holdingIn.set(set, found);
  return found;
}

/** Such a request lacks nothing that only a person could say. The policy folder is held to it when it is read. */
function canHold(policy: Policy): policy is Holding['policy'] {
  return policy.hold !== null && policy.justification === 'optional';
}

/**
 * The request that such a connection waits for, of those that nobody has decided: one that would let it in, and that can
 * still be approved under the policies in force. The oldest, where there are several.
 */
export function requestToJoin(
  pending: readonly AccessRequest[],
  question: Question,
  set: PolicySet,
  now: Instant,
): AccessRequest | undefined {
  const { subject, resource, actions } = question;
  if ('effect' in subject || 'effect' in resource || 'effect' in actions) return undefined;
  return pending
    .filter(
      (request) =>
        request.subject === subject.is &&
        request.resource === resource.is &&
        actions.some((action) => request.actions.includes(action)) &&
        whyUnbound(request.binding, bearerOf(question)) === null &&
        isApprovable(request, set, now),
    )
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
}

/** Whether reviews could still approve it: it waits, and under the very text of its policy. */
export function isApprovable(request: AccessRequest, set: PolicySet, now: Instant): boolean {
  return (
    requestStateOf(request, now) === 'pending' &&
    set.policies.get(request.policy)?.digest === request.policyDigest &&
    stillAdmits(set, request.policy, request, request.duration)
  );
}

/** The longest wait on each resource that has any: what its routes in Envoy must leave time for. */
export function longestHolds(set: PolicySet): ReadonlyMap<ResourceName, Duration> {
  const holds = policiesThatHold(set);
  return new Map(
    [...set.resources.values()].flatMap((resource) => {
      const lengths = holds.filter((policy) => coveredActions(policy, resource).length > 0).map(({ hold }) => hold);
      return lengths.length === 0 ? [] : [[resource.name, Math.max(...lengths) as Duration] as const];
    }),
  );
}
