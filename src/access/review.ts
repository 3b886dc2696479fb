import { printActor, type Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import { bornFrom, type Grant } from '../domain/grant.js';
import type { RequestId } from '../domain/ids.js';
import type { AccessRequest } from '../domain/request.js';
import { applyReview, type Review } from '../domain/review.js';
import { plainText } from '../domain/text.js';
import type { Instant } from '../domain/time.js';
import type { Change } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { once, type Idempotency } from './once.js';
import { assertRevision, visibleRequest } from './request.js';
import { trustedNow } from './trusted-now.js';
import { assertNotUnderLock, isDoubted } from './under-lock.js';

/** What a reviewer says. Who reviews is never part of it. */
export interface Verdict {
  readonly requestId: RequestId;
  readonly verdict: Review['verdict'];
  readonly reason?: string | undefined;
  /** The digest of the request as the reviewer was shown it. */
  readonly digest: string;
  readonly ifRevision?: number | undefined;
}

export interface Reviewed {
  readonly request: AccessRequest;
  readonly review: Review;
  /** The grant, when this review was the one that was missing. */
  readonly grant: Grant | null;
}

/**
 * Records a review and, when it decides the request, what follows from it: all in one transaction, in which all rights
 * are judged again.
 *
 * @throws {AccessError} `not_permitted`, `self_review`, `not_found`, `already_decided`, `digest_mismatch`,
 * `policy_changed`, `precondition_failed`, `clock_suspect`, `storage_full`
 */
export async function giveReview(
  { store, clock, policies, newId, room }: Omit<Dependencies, 'sha256'>,
  actor: Actor,
  verdict: Verdict,
  idempotency: Idempotency | null,
): Promise<Reviewed> {
  const reviewer = assertPerson(actor);
  const now = trustedNow(clock);
  if (verdict.verdict === 'approve' && room.level() !== 'all') {
    throw new AccessError('storage_full', 'no new grants: the disk of the service is nearly full');
  }
  return store.change(now, (change) =>
    once(change, actor, idempotency, now, () => {
      const { directory } = policies.current;
      assertNotUnderLock(actor, 'reviewing', { snapshot: change, directory, now });
      const request = visibleRequest(change.request(verdict.requestId), verdict.requestId, actor, policies.current);
      assertRevision(request, verdict.ifRevision);
      const earlier = change.reviewsOf(request.id);
      const review: Review = {
        id: newId('rev', now),
        requestId: request.id,
        digest: verdict.digest,
        person: reviewer,
        verdict: verdict.verdict,
        reason: plainText('reason', verdict.reason ?? ''),
        at: now,
      };
      const counting = earlier.filter(
        ({ person }) => person === reviewer || !isDoubted(person, { snapshot: change, directory, now }),
      );
      const outcome = applyReview(request, counting, review, policies.current);
      change.record(actor, { action: 'review.given', review });
      if (outcome.state === 'pending') return { request, review, grant: null };
      const settled = settle(change, actor, request, outcome.state, now);
      if (outcome.state === 'denied') return { request: settled, review, grant: null };
      return { request: settled, review, grant: giveBirth(change, actor, settled, outcome.approvedBy, now) };
    }),
  );
}

function assertPerson(actor: Actor) {
  if (actor.kind === 'person') return actor.person;
  throw new AccessError(
    'not_permitted',
    `${printActor(actor)} is no person that the policy folder knows, and only people review`,
  );
}

function settle(
  change: Change,
  actor: Actor,
  request: AccessRequest,
  state: 'approved' | 'denied',
  now: Instant,
): AccessRequest {
  const settled: AccessRequest = { ...request, settled: { state, at: now }, revision: change.nextSequence };
  change.record(actor, { action: `request.${state}`, request: settled });
  return settled;
}

function giveBirth(
  change: Change,
  actor: Actor,
  request: AccessRequest,
  approvedBy: readonly Grant['person'][],
  now: Instant,
): Grant {
  const grant = bornFrom(request, approvedBy, now, change.nextSequence);
  // The id follows from the request, so a second birth would show here, whatever went wrong before.
  if (change.grant(grant.id)) throw new Error(`grant ${grant.id} exists already`);
  change.record(actor, { action: 'grant.created', grant });
  return grant;
}
