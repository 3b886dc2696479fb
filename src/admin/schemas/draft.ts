import { z } from 'zod';
import type { DraftStanding } from '../../access/list-drafts.js';
import { DENY_REASONS } from '../../domain/decision.js';
import type { ResourceName } from '../../domain/names.js';
import {
  durationField,
  EXAMPLE,
  flagField,
  nameField,
  printTime,
  Subject,
  subjectText,
  textField,
  Time,
} from './fields.js';
import { pageOf, pagingFields } from './page.js';

/** Which drafts to list. */
export const DraftQuery = z.strictObject({
  ...pagingFields,
  mine: flagField('Only your own.').optional(),
  resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
  subject: subjectText.optional(),
});

/** What a draft lacks to be a request. */
export const SubmitBody = z
  .strictObject({
    duration: durationField("How long. Default: the policy's.").optional(),
    justification: textField('justification', 'What the access is needed for.').optional(),
  })
  .meta({ id: 'SubmitBody', [EXAMPLE]: { duration: '2h', justification: 'invoice 4711 is missing' } });

/** A draft in answers. */
export const DraftAnswer = z
  .strictObject({
    id: z.string().meta({ examples: ['dft_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
    subject: Subject,
    person: z.string(),
    resource: z.string(),
    action: z.string().meta({ description: 'What a request made of it asks for.' }),
    policy: z.string().meta({ description: 'What a request made of it is made under.' }),
    justification: z
      .enum(['required', 'optional'])
      .nullable()
      .meta({ description: 'Whether submitting it takes one; null when the policy is gone.' }),
    reason: z.enum(DENY_REASONS).meta({ description: 'Of the last refusal, as the following three.' }),
    request: z.string().nullable().meta({ description: '`GET /path` without the query for HTTP; null for TCP.' }),
    source: z.string().nullable().meta({ description: 'Where the client connected from.' }),
    decisionId: z.string(),
    count: z.int().min(1).meta({ description: 'How many refusals have left it; up to a minute behind.' }),
    createdAt: Time.meta({ description: 'The first refusal.' }),
    lastAt: Time.meta({ description: 'The last refusal; up to a minute behind.' }),
    expiresAt: Time.meta({ description: 'From this instant on it is gone.' }),
  })
  .meta({ id: 'Draft', description: 'What a refused connection has left. Nobody has been asked yet.' });

/** A page of drafts in answers. */
export const DraftPage = pageOf(DraftAnswer, 'DraftPage');

/** How a draft is shown. */
export function draftView({ draft, person, justification }: DraftStanding): z.output<typeof DraftAnswer> {
  const { createdAt, lastAt, expiresAt, ...plain } = draft;
  return {
    ...plain,
    person,
    justification,
    createdAt: printTime(createdAt),
    lastAt: printTime(lastAt),
    expiresAt: printTime(expiresAt),
  };
}
