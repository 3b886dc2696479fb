import { z } from 'zod';
import type { Outstanding, SessionStanding } from '../../access/live-sessions.js';
import type { GrantId } from '../../domain/ids.js';
import type { ResourceName } from '../../domain/names.js';
import { SESSION_END_REASONS, SESSION_PROTOCOLS } from '../../domain/session.js';
import {
  EXAMPLE,
  flagField,
  nameField,
  personField,
  printTime,
  Subject,
  subjectText,
  textField,
  Time,
  wordField,
} from './fields.js';
import { pageOf, pagingFields } from './page.js';

const SESSION_STATES = ['live', 'ended'] as const;

/** Which sessions to list. */
export const SessionQuery = z.strictObject({
  ...pagingFields,
  state: wordField(SESSION_STATES, 'Only those in this state.').optional(),
  mine: flagField('Only your own.').optional(),
  grant: z
    .string()
    .max(40)
    .transform((text) => text as GrantId)
    .optional()
    .meta({ description: 'Only those under this grant, now or when they began.' }),
  resource: nameField<ResourceName>('a resource', 'orders-db').optional(),
  subject: subjectText.optional(),
  person: personField.optional(),
  protocol: wordField(SESSION_PROTOCOLS, 'Only those that run like this.').optional(),
});

/** Why a session is cut. */
export const CutBody = z
  .strictObject({ reason: textField('reason', 'Why, for the log.').optional() })
  .meta({ id: 'CutBody', [EXAMPLE]: { reason: 'stuck' } });

/** Whether a change waits for the guards. */
export const WaitQuery = z.strictObject({
  wait: flagField('Wait for the guards, 200 ms at most. Default: true.').optional(),
});

const count = z.int().min(0);

/** A session in answers. */
export const SessionAnswer = z
  .strictObject({
    id: z.string().meta({ examples: ['ses_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
    grantId: z.string().meta({ description: 'What it runs under; another grant may have taken over.' }),
    decisionId: z.string().nullable().meta({ description: 'The check that let it in.' }),
    policy: z.string(),
    subject: Subject,
    person: z.string(),
    resource: z.string(),
    protocol: z.enum(SESSION_PROTOCOLS),
    downstream: z.string().nullable().meta({ description: 'Where the client connected from.' }),
    upstream: z.string().nullable(),
    startedAt: Time,
    endsAt: Time.meta({ description: 'When its guard ends it by itself.' }),
    bytesReceived: count,
    bytesSent: count,
    guard: z.string(),
    node: z.string().meta({ description: 'The Envoy that carries it.' }),
    state: z.enum(SESSION_STATES),
    end: z
      .strictObject({
        at: Time,
        reason: z.enum(SESSION_END_REASONS),
        cutAfterMs: count.nullable().meta({
          description: 'From the change that ended it, once on disk, until it was closed; null where none did.',
        }),
      })
      .nullable(),
    cutBy: z
      .strictObject({ by: z.string(), why: z.string() })
      .nullable()
      .meta({ description: 'Who cut it by hand, and why; null where nobody did.' }),
  })
  .meta({ id: 'Session', description: 'A session that lives or ended lately, as its guard has told it.' });

/** A page of sessions in answers. */
export const SessionPage = pageOf(SessionAnswer, 'SessionPage');

/** Guards that have not applied a change yet. */
export const UnappliedAnswer = z
  .array(z.strictObject({ guard: z.string(), node: z.string(), endsAt: Time }).meta({ id: 'UnappliedGuard' }))
  .meta({
    description: 'Guards that have not applied the change yet, and when what it ended is over there at the latest.',
  });

/** How a session is shown. */
export function sessionView(standing: SessionStanding): z.output<typeof SessionAnswer> {
  const { session, grantId, upstream, bytesReceived, bytesSent, end } = standing;
  const { id, decisionId, policy, subject, person, resource, protocol, downstream, guard, node } = session;
  return {
    id,
    grantId,
    decisionId,
    policy,
    subject,
    person,
    resource,
    protocol,
    downstream,
    upstream,
    startedAt: printTime(session.startedAt),
    endsAt: printTime(standing.endsAt),
    bytesReceived,
    bytesSent,
    guard,
    node,
    state: end === null ? 'live' : 'ended',
    end: end && { at: printTime(end.at), reason: end.reason, cutAfterMs: end.cutAfter },
    cutBy: standing.cutBy,
  };
}

/** How guards are shown that have not applied a change yet. */
export function unappliedView(guards: readonly Outstanding[]): z.output<typeof UnappliedAnswer> {
  return guards.map(({ guard, node, endsAt }) => ({ guard, node, endsAt: printTime(endsAt) }));
}
