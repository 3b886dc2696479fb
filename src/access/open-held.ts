import { prefixOf } from '../domain/address.js';
import type { Binding } from '../domain/binding.js';
import { bearerOf, type Question } from '../domain/decide.js';
import type { DenyReason } from '../domain/decision.js';
import { AccessError } from '../domain/errors.js';
import { holdingFor, requestToJoin } from '../domain/hold.js';
import type { ActionName, ResourceName } from '../domain/names.js';
import type { AccessRequest, Connection } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import { after, minutes, type Duration, type Instant } from '../domain/time.js';
import { personBehind } from '../domain/who.js';
import type { Change } from '../store/store.js';
import { actorOfSubject } from './actors.js';
import type { Asked } from './check.js';
import type { Dependencies } from './dependencies.js';
import { contentOf, recordRequest } from './request.js';
import { trustedNow } from './trusted-now.js';

/** What is known of a connection that is to wait; all of it from Envoy and from the certificate. */
export interface Candidate {
  readonly question: Question;
  readonly reason: DenyReason;
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly binding: Binding;
  readonly connection: Connection;
}

/** Programs connect again and again by themselves; reviewers are asked by connections of one person no more often than this. */
export const OPENED_AT_MOST = 5;
/** ... within this time; and what they have said no to is not asked for again by a connection for as long. */
const COOL_DOWN: Duration = minutes(10);

/** How many requests of a person are looked at. More than that are not made in the time. */
const LOOKED_AT = 50;

/** What a check shows of its connection; null where that is too little for a grant to be bound to. */
export function candidateOf({ question, request }: Asked, reason: DenyReason): Candidate | null {
  const { key, source } = bearerOf(question);
  const prefix = source === null ? null : prefixOf(source);
  if (key === null || source === null || prefix === null) return null;
  const { subject, resource } = question;
  if ('effect' in subject || 'effect' in resource) return null;
  return {
    question,
    reason,
    subject: subject.is,
    resource: resource.is,
    binding: { key, sources: [prefix] },
    connection: { source, key, request },
  };
}

/**
 * The request that a held connection waits for: one that waits already and would let it in, or a new one for just the
 * action that it needs, for the policy's usual time, bound to its key and to where it comes from.
 *
 * @throws {AccessError} as `submitRequest`; and `too_many_pending` where connections have asked too often
 */
export async function openHeld(
  { store, clock, policies, newId, sha256, room }: Dependencies,
  { question, reason, subject, resource, binding, connection }: Candidate,
): Promise<AccessRequest> {
  const now = trustedNow(clock);
  if (room.level() !== 'all')
    throw new AccessError('storage_full', 'no new requests: the disk of the service is nearly full');
  return store.change(now, (change) => {
    const set = policies.current;
    const waiting = requestToJoin(change.pendingFor(subject, resource, now), question, set, now);
    if (waiting) return waiting;
    const holding = holdingFor(reason, question, set);
    if (!holding)
      throw new AccessError('policy_changed', 'the policies have changed: no connection waits for this any more');
    const { policy, action } = holding;
    assertSeldom(change, { subject, resource, action }, personBehind(set.directory, subject), now);
    const actor = { ...actorOfSubject(subject, set.directory), via: 'held connection' };
    const wish = { resource, actions: [action], policy: policy.name, subject };
    const content = contentOf(wish, actor, set, { id: newId('req', now), now });
    return recordRequest(change, actor, { ...content, binding, connection }, { sha256, now });
  });
}

interface Sought {
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly action: ActionName;
}

/** So that a program that connects again and again does not make its reviewers tired. */
function assertSeldom(
  change: Change,
  { subject, resource, action }: Sought,
  person: AccessRequest['person'],
  now: Instant,
): void {
  const { items } = change.requests({ person, limit: LOOKED_AT });
  const recent = items.filter(({ connection, createdAt }) => connection && after(createdAt, COOL_DOWN) > now);
  const refused = items.find(
    (one) =>
      one.connection !== undefined &&
      one.subject === subject &&
      one.resource === resource &&
      one.actions.includes(action) &&
      (one.settled?.state === 'denied' || one.settled?.state === 'withdrawn') &&
      after(one.settled.at, COOL_DOWN) > now,
  );
  if (refused) {
    const text = `request ${refused.id} was ${refused.settled!.state}, so no connection asks again for now; ask in words`;
    throw new AccessError('not_permitted', text);
  }
  if (recent.length >= OPENED_AT_MOST)
    throw new AccessError(
      'too_many_pending',
      `connections of ${person} have asked for access ${recent.length} times within a short while; ask in words`,
    );
}
