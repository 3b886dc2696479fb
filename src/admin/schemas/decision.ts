import { z } from 'zod';
import type { DecisionRecord } from '../../domain/decision-record.js';
import { DENY_REASONS } from '../../domain/decision.js';
import type { ResourceName } from '../../domain/names.js';
import {
  flagField,
  instantField,
  nameField,
  personField,
  printTime,
  Subject,
  subjectText,
  Time,
  wordField,
} from './fields.js';
import { pageOf, pagingFields } from './page.js';

/** Which decisions to list. */
export const DecisionQuery = z.strictObject({
  ...pagingFields,
  mine: flagField('Only those about your own subjects.').optional(),
  effect: wordField(['allow', 'deny'], 'Only these.').optional(),
  reason: wordField(DENY_REASONS, 'Only those denied for this reason.').optional(),
  resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
  subject: subjectText.optional(),
  person: personField.optional(),
  since: instantField('Only those made then or later.').optional(),
});

/** A decision in answers. */
export const DecisionAnswer = z
  .strictObject({
    id: z.string().meta({
      description: "The id in Envoy's access log and in the answer.",
      examples: ['dec_01kdg2h5v8e6v9m4s7w3x2y1z0'],
    }),
    at: Time,
    effect: z.enum(['allow', 'deny']),
    reason: z.enum(DENY_REASONS).nullable().meta({ description: 'Null for an allow.' }),
    subject: Subject.nullable(),
    person: z.string().nullable(),
    resource: z.string().nullable(),
    actions: z.array(z.string()),
    grantId: z.string().nullable(),
    requestId: z.string().nullable(),
    policy: z.string().nullable(),
    lockId: z.string().nullable(),
    source: z.string().nullable().meta({ description: 'Where the client connected from.' }),
    request: z
      .string()
      .nullable()
      .meta({ description: 'Method and path for HTTP; null for TCP.', examples: ['GET /invoices/7'] }),
    message: z.string().nullable(),
    asOf: z.int().meta({ description: 'Number of the last change that the decision knew.' }),
  })
  .meta({ id: 'Decision', description: 'What one check was answered with.' });

/** A page of decisions in answers. */
export const DecisionPage = pageOf(DecisionAnswer, 'DecisionPage');

/** How a decision is shown. */
export function decisionView(record: DecisionRecord): z.output<typeof DecisionAnswer> {
  return { ...record, at: printTime(record.at), actions: [...record.actions] };
}
