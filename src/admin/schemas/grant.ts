import { z } from 'zod';
import type { GrantStanding } from '../../access/list-grants.js';
import { END_REASONS, GRANT_STATES } from '../../domain/grant.js';
import type { PolicyName, ResourceName } from '../../domain/names.js';
import {
  EXAMPLE,
  flagField,
  instantField,
  nameField,
  Patterns,
  patternsView,
  personField,
  printTime,
  Subject,
  subjectText,
  textField,
  Time,
  wordField,
} from './fields.js';
import { BindingAnswer, bindingView } from './binding.js';
import { pageOf, pagingFields } from './page.js';
import { UnappliedAnswer } from './session.js';

/** Why a grant is ended early. */
export const EndingBody = z
  .strictObject({ reason: textField('reason', 'Why, for its holder and for the log.').optional() })
  .meta({ id: 'EndingBody', [EXAMPLE]: { reason: 'done' } });

/** Which grants to list. */
export const GrantQuery = z.strictObject({
  ...pagingFields,
  state: wordField(GRANT_STATES, 'Only those in this state.').optional(),
  mine: flagField('Only your own.').optional(),
  resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
  policy: nameField<PolicyName>('a policy', 'prod-data').optional(),
  subject: subjectText.optional(),
  person: personField.optional(),
  since: instantField('Only those born then or later.').optional(),
});

/** A grant in answers. */
export const GrantAnswer = z
  .strictObject({
    id: z.string().meta({ examples: ['gr_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
    requestId: z.string(),
    policy: z.string(),
    subject: Subject,
    person: z.string(),
    resource: z.string(),
    actions: z.array(z.string()),
    patterns: Patterns,
    binding: BindingAnswer,
    createdAt: Time,
    startsAt: Time,
    expiresAt: Time.meta({ description: 'The grant holds until just before this instant, unless it ends earlier.' }),
    approvedBy: z.array(z.string()),
    state: z.enum(GRANT_STATES),
    reason: z.enum(END_REASONS).nullable().meta({ description: 'Why it has ended; null before.' }),
    end: z
      .strictObject({ at: Time, by: z.string(), why: z.string() })
      .nullable()
      .meta({ description: 'Who ended it before its time; null when nobody did.' }),
  })
  .meta({ id: 'Grant', description: 'A grant and how it stands now.' });

/** A grant in the answer to what ended it, while guards have not applied that. */
export const EndedGrantAnswer = GrantAnswer.extend({ unapplied: UnappliedAnswer }).meta({ id: 'EndedGrant' });

/** A page of grants in answers. */
export const GrantPage = pageOf(GrantAnswer, 'GrantPage');

/** How a grant is shown. */
export function grantView({ grant, state }: GrantStanding): z.output<typeof GrantAnswer> {
  const { id, requestId, policy, subject, person, resource, end } = grant;
  return {
    id,
    requestId,
    policy,
    subject,
    person,
    resource,
    actions: [...grant.actions],
    patterns: patternsView(grant.patterns),
    binding: bindingView(grant.binding),
    approvedBy: [...grant.approvedBy],
    createdAt: printTime(grant.createdAt),
    startsAt: printTime(grant.startsAt),
    expiresAt: printTime(grant.expiresAt),
    state: state.state,
    reason: state.state === 'ended' ? state.reason : null,
    end: end && { at: printTime(end.at), by: end.by, why: end.why },
  };
}
