import { createHash } from 'node:crypto';
import { parseDuration } from '../../domain/durations.js';
import type { RequestId } from '../../domain/ids.js';
import type { ActionName, PersonId, PolicyName, ResourceName } from '../../domain/names.js';
import { requestDigest, type RequestContent } from '../../domain/request.js';
import type { Subject } from '../../domain/subject.js';
import type { Instant } from '../../domain/time.js';
import type { RequestAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { failure } from '../failure.js';

/**
 * Makes the digest of a request anew from what the service says about it. So a reviewer approves what is on the screen
 * also where somebody between them and the store shows them something else.
 *
 * @throws {Failure} when the content and the digest are not of one request
 */
export function assertDigestFits(request: RequestAnswer): void {
  if (digestOf(request) === request.digest) return;
  throw failure(
    EXIT.serviceFailed,
    `what the service says about ${request.id} does not fit its digest; nothing was sent`,
    'an older command line does not know what a newer service puts into a request: update it; else tell the operator',
  );
}

function digestOf(request: RequestAnswer): string {
  const { id, subject, person, askedBy, resource, actions, patterns, justification, policy } = request;
  const { binding, connection } = request;
  const content: RequestContent = {
    id: id as RequestId,
    subject: subject as Subject,
    person: person as PersonId,
    askedBy,
    resource: resource as ResourceName,
    actions: actions as readonly ActionName[],
    patterns,
    duration: parseDuration(request.duration),
    justification,
    policy: policy as PolicyName,
    policyDigest: request.policyDigest,
    ...(binding && { binding }),
    ...(connection && { connection }),
    createdAt: Date.parse(request.createdAt) as Instant,
    lapsesAt: Date.parse(request.lapsesAt) as Instant,
  };
  return requestDigest(content, (bytes) => createHash('sha256').update(bytes).digest());
}
