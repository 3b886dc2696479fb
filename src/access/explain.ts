import { printActor, type Actor } from '../domain/actor.js';
import type { Bearer, Binding } from '../domain/binding.js';
import { bearerOf, decide, type Question } from '../domain/decide.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { Decision } from '../domain/decision.js';
import type { Draft } from '../domain/draft.js';
import { cureFor, denyText, isCurable, type Asking } from '../domain/deny-text.js';
import { AccessError } from '../domain/errors.js';
import { grantStateOf, longestFirst, type Grant, type GrantState } from '../domain/grant.js';
import type { DecisionId } from '../domain/ids.js';
import { holdingFor } from '../domain/hold.js';
import { hits, isInForce, type Lock } from '../domain/lock.js';
import type { ActionName, PersonId, PolicyName, ResourceName } from '../domain/names.js';
import { admittedActions, askableActions, type PolicySet } from '../domain/policy.js';
import type { AccessRequest } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import type { Duration, Instant } from '../domain/time.js';
import { personBehind } from '../domain/who.js';
import type { Snapshot } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { draftOf, namedDraft } from './list-drafts.js';
import { is, isOwn } from './rights.js';

/** What would be decided now, and everything that led to it. Asking changes nothing and is no decision. */
export interface Explanation {
  readonly decision: Decision;
  /** The reason as a sentence; null for an allow. */
  readonly text: string | null;
  readonly subject: Subject | null;
  readonly person: PersonId | null;
  readonly resource: ResourceName | null;
  readonly actions: readonly ActionName[];
  readonly locks: readonly Lock[];
  /** In the order in which a check tries them. */
  readonly grants: readonly { readonly grant: Grant; readonly state: GrantState }[];
  readonly pending: readonly AccessRequest[];
  /** Policies under which the subject may ask for the resource. */
  readonly policies: readonly PolicyName[];
  /** Where a connection would wait for an approval, and for how long at most; null where it would not. */
  readonly hold: { readonly policy: PolicyName; readonly longest: Duration } | null;
  /** What refusals have left to submit. */
  readonly draft: Draft | null;
  /** The command that may help. */
  readonly cure: string | null;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'>;

/**
 * Explains what a check would come to. About one's own subjects everybody may ask; about others, auditors and operators.
 * A key or a source that the question leaves open is taken to be the one that it takes.
 *
 * @throws {AccessError} `not_permitted`
 */
export function explain({ store, clock, policies }: Needed, actor: Actor, question: Question): Explanation {
  const now = clock.read();
  const set = policies.current;
  const subject = 'is' in question.subject ? question.subject.is : null;
  const resource = 'is' in question.resource ? question.resource.is : null;
  assertMayAskAbout(actor, subject, set);
  return store.read((snapshot) => {
    const found = subject !== null && resource !== null;
    const grants = found ? snapshot.grantsFor(subject, resource, now.wall) : [];
    const pending = found ? snapshot.pendingFor(subject, resource, now.wall) : [];
    const locks = snapshot.locks();
    const bearer = bearerOf(question);
    const facts = {
      grants: grants.map((one) => ofKnown(one, bearer)),
      pending: pending.map((one) => ofKnown(one, bearer)),
    };
    const decision = decide(question, { policies: set, locks, ...facts }, now);
    const holding = decision.effect === 'deny' ? holdingFor(decision.reason, question, set) : null;
    const draft = found ? draftIn(snapshot, { decision, subject, resource, question }, set, now.wall) : null;
    const asking = found ? askingIn({ subject, resource, question }, draft, set) : {};
    return {
      decision,
      text: decision.effect === 'deny' ? denyText(decision.reason, asking) : null,
      subject,
      person: subject && personBehind(set.directory, subject),
      resource,
      actions: 'effect' in question.actions ? [] : question.actions,
      locks: found ? locksThatHit(locks, { subject, resource }, set, now.wall) : [],
      grants: longestFirst(grants).map((grant) => ({ grant, state: grantStateOf(grant, now.wall) })),
      pending,
      policies: found ? policiesFor(subject, resource, set) : [],
      hold: holding && { policy: holding.policy.name, longest: holding.policy.hold },
      draft,
      cure: decision.effect === 'deny' ? cureFor(decision.reason, resource, asking) : null,
    };
  });
}

interface About {
  readonly decision: Decision;
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly question: Question;
}

function askingIn(
  { subject, resource, question: { actions } }: Omit<About, 'decision'>,
  draft: Draft | null,
  set: PolicySet,
): Asking {
  if ('effect' in actions) return {};
  return { draft: draft && namedDraft(draft, set), admitted: askableActions(set, { subject, resource, actions }) };
}

/** Only one that can be submitted: where a request would not help, or its policy no longer admits it, there is none. */
function draftIn(
  snapshot: Snapshot,
  { decision, subject, resource, question: { actions } }: About,
  set: PolicySet,
  now: Instant,
): Draft | null {
  if (decision.effect === 'allow' || !isCurable(decision.reason) || 'effect' in actions) return null;
  const draft = draftOf(snapshot, { subject, resource, actions }, now);
  return draft && policiesFor(subject, resource, set).includes(draft.policy) ? draft : null;
}

/** The same, bound to nothing that the question does not tell. */
function ofKnown<T extends { readonly binding?: Binding }>(one: T, { key, source }: Bearer): T {
  if (one.binding === undefined) return one;
  const binding: Binding = {
    key: key === null ? null : one.binding.key,
    sources: source === null ? null : one.binding.sources,
  };
  return { ...one, binding };
}

/**
 * A decision that was made, by its id. One's own, or any for auditors.
 *
 * @throws {AccessError} `not_found`
 */
export function findDecision({ store, policies }: Needed, actor: Actor, id: DecisionId): DecisionRecord {
  const record = store.decision(id);
  if (record && maySeeDecision(actor, record, policies.current)) return record;
  throw new AccessError('not_found', `no decision ${JSON.stringify(id)}; it may be older than what is kept`);
}

export function maySeeDecision(actor: Actor, { subject, person }: DecisionRecord, policies: PolicySet): boolean {
  if (is(actor, 'auditor', policies)) return true;
  return subject !== null && person !== null && isOwn(actor, { subject, person }, policies);
}

function assertMayAskAbout(actor: Actor, subject: Subject | null, policies: PolicySet): void {
  if (is(actor, 'auditor', policies) || is(actor, 'operator', policies)) return;
  if (subject !== null && isOwn(actor, { subject, person: personBehind(policies.directory, subject) }, policies))
    return;
  throw new AccessError(
    'not_permitted',
    `${printActor(actor)} can ask only about subjects of its own; others need the role auditor or operator`,
  );
}

function locksThatHit(
  locks: readonly Lock[],
  of: { subject: Subject; resource: ResourceName },
  policies: PolicySet,
  now: Instant,
): readonly Lock[] {
  const hit = { ...of, person: personBehind(policies.directory, of.subject) };
  return locks.filter((lock) => isInForce(lock, now) && hits(lock, hit));
}

function policiesFor(subject: Subject, name: ResourceName, policies: PolicySet): readonly PolicyName[] {
  const resource = policies.resources.get(name);
  if (!resource) return [];
  return [...policies.policies.values()]
    .filter((policy) => admittedActions(policies, policy, subject, resource).length > 0)
    .map((policy) => policy.name)
    .sort();
}
