import { z } from 'zod';
import type { PolicyStanding } from '../../access/list-policies.js';
import { printDuration } from '../../domain/durations.js';
import type { ResourceName } from '../../domain/names.js';
import { printTrustedPattern } from '../../domain/who.js';
import { Length, nameField } from './fields.js';
import { pageOf, pagingFields } from './page.js';

/** Which policies to list. */
export const PolicyQuery = z.strictObject({
  ...pagingFields,
  resource: nameField<ResourceName>('a resource', 'orders-db')
    .optional()
    .meta({ description: 'Only those that admit somebody to it.' }),
});

const names = z.array(z.string());

/** A policy in answers. */
export const PolicyAnswer = z
  .strictObject({
    name: z.string().meta({ examples: ['prod-data'] }),
    digest: z.string().meta({ description: 'SHA-256 of its content: what a request is made under.' }),
    who: z.strictObject({
      people: names,
      groups: names,
      subjects: names.meta({ description: 'Patterns.', examples: [['corp/spiffe://corp/batch/**']] }),
    }),
    admits: z.array(z.strictObject({ resource: z.string(), actions: names })),
    duration: z.strictObject({ default: Length, max: Length }),
    justification: z.enum(['required', 'optional']),
    pending: Length.meta({ description: 'A request that nobody answers for this long lapses.' }),
    approval: z.strictObject({
      count: z.int(),
      people: names,
      groups: names,
      reviewers: names.meta({ description: 'Everybody whose approval counts, unless the access is for themselves.' }),
    }),
    priority: z.int().nullable(),
    sessions: z.strictObject({ max: z.int().nullable(), idle: Length.nullable() }).meta({
      description: 'Bounds of what one grant has open: sessions at once, and how long one may rest; null: none.',
    }),
    onDeny: z.enum(['draft']).nullable().meta({ description: 'What a refusal leaves behind; null: nothing.' }),
    hold: Length.nullable().meta({ description: 'How long a connection may wait for an approval; null: not at all.' }),
  })
  .meta({ id: 'Policy' });

/** A page of policies in answers. */
export const PolicyPage = pageOf(PolicyAnswer, 'PolicyPage');

/** How a policy is shown. */
export function policyView({ policy, admits, reviewers }: PolicyStanding): z.output<typeof PolicyAnswer> {
  const { name, digest, who, duration, justification, approval, priority } = policy;
  return {
    name,
    digest,
    justification,
    priority,
    sessions: { max: policy.sessions.max, idle: policy.sessions.idle && printDuration(policy.sessions.idle) },
    onDeny: policy.onDeny,
    hold: policy.hold && printDuration(policy.hold),
    who: { people: [...who.people], groups: [...who.groups], subjects: who.subjects.map(printTrustedPattern) },
    admits: admits.map(({ resource, actions }) => ({ resource, actions: [...actions] })),
    duration: { default: printDuration(duration.default), max: printDuration(duration.max) },
    pending: printDuration(policy.pending),
    approval: {
      count: approval.count,
      people: [...approval.from.people],
      groups: [...approval.from.groups],
      reviewers: [...reviewers],
    },
  };
}
