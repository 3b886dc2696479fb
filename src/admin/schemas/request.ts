import { z } from 'zod';
import type { RequestStanding } from '../../access/list-requests.js';
import { printDuration } from '../../domain/durations.js';
import type { ActionName, PolicyName, ResourceName } from '../../domain/names.js';
import { REQUEST_STATES } from '../../domain/request.js';
import type { Review } from '../../domain/review.js';
import { BindingAnswer, bindingView, ConnectionAnswer, connectionView } from './binding.js';
import { LockHitAnswer, lockHitView } from './lock.js';
import { pageOf, pagingFields } from './page.js';
import {
  durationField,
  EXAMPLE,
  flagField,
  instantField,
  Length,
  nameField,
  Patterns,
  patternsView,
  personField,
  printTime,
  printTimeOrNull,
  Subject,
  subjectText,
  textField,
  Time,
  wordField,
} from './fields.js';

/** What somebody asks for. Who asks is whoever authenticated. */
export const RequestBody = z
  .strictObject({
    resource: nameField<ResourceName>('a resource', 'orders-db'),
    actions: z
      .array(nameField<ActionName>('an action', 'read'))
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Default: all that the policy admits.' }),
    duration: durationField("How long. Default: the policy's.").optional(),
    justification: textField('justification', 'What the access is needed for.').optional(),
    policy: nameField<PolicyName>('a policy', 'prod-data').optional(),
    subject: subjectText.optional(),
  })
  .meta({
    id: 'RequestBody',
    [EXAMPLE]: { resource: 'orders-db', duration: '2h', justification: 'invoice 4711 is missing' },
  });

/** One person's word on a request. */
export const ReviewBody = z
  .strictObject({
    verdict: wordField(['approve', 'deny'], 'What you say.'),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: 'The digest of the request as you were shown it.', examples: ['0f'.repeat(32)] }),
    reason: textField('reason', 'Why, for the requester and for the log.').optional(),
  })
  .meta({ id: 'ReviewBody' });

/** Which requests to list. */
export const RequestQuery = z.strictObject({
  ...pagingFields,
  state: wordField(REQUEST_STATES, 'Only those in this state.').optional(),
  mine: flagField('Only your own.').optional(),
  reviewable: flagField('Only those that wait for a review that you could give.').optional(),
  resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
  policy: nameField<PolicyName>('a policy', 'prod-data').optional(),
  subject: subjectText.optional(),
  person: personField.optional(),
  since: instantField('Only those made then or later.').optional(),
});

const ReviewAnswer = z
  .strictObject({
    id: z.string(),
    person: z.string(),
    verdict: z.enum(['approve', 'deny']),
    reason: z.string(),
    at: Time,
  })
  .meta({ id: 'Review' });

/** An access request in answers. */
export const RequestAnswer = z
  .strictObject({
    id: z.string().meta({ examples: ['req_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
    subject: Subject,
    person: z.string(),
    askedBy: z.string().meta({ description: 'Who asked: the person, or a service for it.' }),
    resource: z.string(),
    actions: z.array(z.string()),
    patterns: Patterns,
    duration: Length,
    justification: z.string(),
    policy: z.string(),
    policyDigest: z.string(),
    binding: BindingAnswer,
    connection: ConnectionAnswer,
    createdAt: Time,
    lapsesAt: Time.meta({ description: 'From this instant on an unanswered request is `lapsed`.' }),
    digest: z
      .string()
      .meta({ description: 'SHA-256 of all of the above in canonical form: what a review is given on.' }),
    state: z.enum(REQUEST_STATES),
    settledAt: Time.nullable(),
    reviews: z.array(ReviewAnswer),
    approvalsNeeded: z
      .int()
      .nullable()
      .meta({ description: 'How many people must approve; null when the policy has changed since.' }),
    reviewers: z
      .array(z.string())
      .meta({ description: 'Who can still review it. Listings name no more than 20 for each request.' }),
    reviewerCount: z.int().meta({ description: 'How many people can still review it, named or not.' }),
    grantId: z.string().nullable(),
    locks: z.array(LockHitAnswer).meta({ description: 'Locks in force that deny what it asks for, approved or not.' }),
  })
  .meta({ id: 'Request', description: 'An access request and how it stands now.' });

/** A page of access requests in answers. */
export const RequestPage = pageOf(RequestAnswer, 'RequestPage');

/** How a request is shown. */
export function requestView({ request, state, ...standing }: RequestStanding): z.output<typeof RequestAnswer> {
  const { id, subject, person, askedBy, resource, actions, justification, policy, policyDigest, digest } = request;
  return {
    id,
    subject,
    person,
    askedBy,
    resource,
    actions: [...actions],
    patterns: patternsView(request.patterns),
    justification,
    policy,
    policyDigest,
    binding: bindingView(request.binding),
    connection: connectionView(request.connection),
    digest,
    state,
    duration: printDuration(request.duration),
    createdAt: printTime(request.createdAt),
    lapsesAt: printTime(request.lapsesAt),
    settledAt: printTimeOrNull(request.settled?.at ?? null),
    reviews: standing.reviews.map(reviewView),
    approvalsNeeded: standing.approvalsNeeded,
    reviewers: [...standing.reviewers],
    reviewerCount: standing.reviewerCount,
    grantId: standing.grantId,
    locks: standing.locks.map(lockHitView),
  };
}

function reviewView({ id, person, verdict, reason, at }: Review): z.output<typeof ReviewAnswer> {
  return { id, person, verdict, reason, at: printTime(at) };
}
