import { z } from 'zod';
import { grantStanding } from '../../access/list-grants.js';
import type { Explanation } from '../../access/explain.js';
import { isWithin } from '../../domain/address.js';
import { printDuration } from '../../domain/durations.js';
import { DENY_REASONS } from '../../domain/decision.js';
import type { ResourceName } from '../../domain/names.js';
import type { Instant } from '../../domain/time.js';
import { EXAMPLE, Length, nameField, printTime, Subject, subjectText, Time } from './fields.js';
import { GrantAnswer, grantView } from './grant.js';
import { LockHitAnswer, lockHitView } from './lock.js';

/** A question as Envoy would put it: one certificate or subject, one resource or authority. */
export const ExplainBody = z
  .strictObject({
    certificate: z.string().min(1).max(32_768).optional().meta({ description: 'One certificate in PEM.' }),
    subject: subjectText.optional(),
    resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
    authority: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .meta({ description: 'Host, and port if any, that an HTTP request is for.', examples: ['billing.internal'] }),
    method: z
      .string()
      .regex(/^[A-Z]{1,20}$/)
      .optional()
      .meta({ description: 'HTTP method.', examples: ['GET'] }),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/)
      .max(8_192)
      .optional()
      .meta({ description: 'HTTP path.', examples: ['/invoices/7'] }),
    source: z
      .string()
      .max(64)
      .refine((text) => isWithin(text, '0.0.0.0/0') || isWithin(text, '::/0'), 'expected an IP address')
      .optional()
      .meta({
        description: 'Address that the client connects from. Default: the one that it takes.',
        examples: ['10.0.0.7'],
      }),
    upgrade: z.boolean().optional().meta({ description: 'Whether the request is an upgrade, as for WebSocket.' }),
  })
  .meta({ id: 'ExplainBody', [EXAMPLE]: { subject: 'corp/spiffe://corp/alice', resource: 'orders-db' } });

const WaitingAnswer = z.strictObject({ id: z.string(), actions: z.array(z.string()), lapsesAt: Time });

/** What would be decided now, and everything that led to it. */
export const ExplanationAnswer = z
  .strictObject({
    effect: z.enum(['allow', 'deny']),
    reason: z.enum(DENY_REASONS).nullable(),
    text: z.string().nullable().meta({ description: 'The reason as a sentence; null for an allow.' }),
    message: z.string().nullable().meta({ description: 'What a lock tells, or what is missing or wrong.' }),
    grantId: z.string().nullable(),
    requestId: z.string().nullable(),
    lockId: z.string().nullable(),
    endsAt: Time.nullable().meta({ description: 'When the access would end at the latest; null for a deny.' }),
    subject: Subject.nullable(),
    person: z.string().nullable(),
    resource: z.string().nullable(),
    actions: z.array(z.string()),
    locks: z.array(LockHitAnswer),
    grants: z.array(GrantAnswer).meta({ description: 'In the order in which a check tries them.' }),
    pending: z.array(WaitingAnswer).meta({ description: 'Requests that still wait.' }),
    policies: z.array(z.string()).meta({ description: 'Policies under which the subject may ask for the resource.' }),
    hold: z
      .strictObject({ policy: z.string(), longest: Length })
      .nullable()
      .meta({ description: 'Where a connection would wait for an approval; null where it would not.' }),
    draft: z.string().nullable().meta({ description: 'What refusals have left to submit: see drafts.' }),
    cure: z.string().nullable().meta({ description: 'The command that may help.' }),
  })
  .meta({ id: 'Explanation' });

/** How an explanation is shown. */
export function explanationView(explained: Explanation, now: Instant): z.output<typeof ExplanationAnswer> {
  const { decision, text, subject, person, resource, actions, locks, grants, pending, policies, draft, cure } =
    explained;
  return {
    ...decisionParts(decision),
    text,
    subject,
    person,
    resource,
    hold: explained.hold && { policy: explained.hold.policy, longest: printDuration(explained.hold.longest) },
    draft: draft?.id ?? null,
    cure,
    actions: [...actions],
    policies: [...policies],
    locks: locks.map(lockHitView),
    grants: grants.map(({ grant }) => grantView(grantStanding(grant, now))),
    pending: pending.map(({ id, actions, lapsesAt }) => ({
      id,
      actions: [...actions],
      lapsesAt: printTime(lapsesAt),
    })),
  };
}

function decisionParts(decision: Explanation['decision']) {
  if (decision.effect === 'allow') {
    const { effect, grantId, requestId, endsAt } = decision;
    return { effect, grantId, requestId, endsAt: printTime(endsAt), reason: null, message: null, lockId: null };
  }
  const { effect, reason, message = null, grantId = null, requestId = null, lockId = null } = decision;
  return { effect, reason, message, grantId, requestId, lockId, endsAt: null };
}
