import { z } from 'zod';
import type { AccessEvent, Told } from '../../access/events/event.js';
import { GRANT_EVENTS, REQUEST_EVENTS } from '../../access/events/event.js';
import { grantStanding } from '../../access/list-grants.js';
import type { RequestStanding } from '../../access/list-requests.js';
import { lockStanding } from '../../access/list-locks.js';
import type { AccessRequest } from '../../domain/request.js';
import type { Session, SessionEnd } from '../../domain/session.js';
import type { Instant } from '../../domain/time.js';
import { flagField, printTime, Time, wordField } from './fields.js';
import { GrantAnswer, grantView } from './grant.js';
import { LockAnswer, lockView } from './lock.js';
import { RequestAnswer, requestView } from './request.js';
import { SessionAnswer } from './session.js';

/** Of which events one wants to hear. */
export const EventQuery = z.strictObject({
  about: wordField(['requests', 'grants', 'locks', 'sessions', 'policies'], 'Only what happens to these.').optional(),
  mine: flagField('Only what happens to your own.').optional(),
  reviewable: flagField('Only requests that you could review, and what becomes of them.').optional(),
});

/** A session as far as an event tells it. */
const SessionTold = SessionAnswer.pick({
  id: true,
  grantId: true,
  decisionId: true,
  policy: true,
  subject: true,
  person: true,
  resource: true,
  protocol: true,
  downstream: true,
  startedAt: true,
  guard: true,
  node: true,
  end: true,
}).meta({ id: 'SessionTold', description: 'A session as it began, and how it ended.' });

const at = Time.meta({ description: 'When it was.' });

/** What stands behind `data:`. */
export const EventAnswer = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.enum(REQUEST_EVENTS), at, request: RequestAnswer }),
    z.strictObject({ type: z.enum(GRANT_EVENTS), at, grant: GrantAnswer }),
    z.strictObject({ type: z.enum(['lock.created', 'lock.removed']), at, lock: LockAnswer }),
    z.strictObject({ type: z.enum(['session.opened', 'session.closed']), at, session: SessionTold }),
    z.strictObject({ type: z.literal('policy.loaded'), at, policyDigest: z.string() }),
    z.strictObject({ type: z.literal('reset'), at, detail: z.string() }),
  ])
  .meta({
    id: 'Event',
    description:
      'What stands behind `data:` of each event, one JSON object. `type` is the name of the event, too. After `reset` it is not known what was missed: list again.',
  });

/** One event of the stream: the fields that Server-Sent Events have. */
export const EventFrame = z
  .strictObject({
    id: z.string().meta({ description: 'For `Last-Event-ID`.', examples: ['46-1767225600000'] }),
    event: z.string().meta({ description: 'As `type` in the data.' }),
    data: z.string().meta({
      description: 'An `Event` as JSON.',
      contentMediaType: 'application/json',
      contentSchema: { $ref: '#/components/schemas/Event' },
    }),
  })
  .meta({ id: 'EventFrame', description: 'One of the events in the stream.' });

/** How requests stand at the instant of an event. */
type StandingAt = (request: AccessRequest, at: Instant) => RequestStanding;

/** How an event is told. */
export function eventView({ at: instant, event }: Told, standingAt: StandingAt): z.output<typeof EventAnswer> {
  return { type: event.type, at: printTime(instant), ...bodyOf(event, instant, standingAt) } as z.output<
    typeof EventAnswer
  >;
}

function bodyOf(event: AccessEvent, instant: Instant, standingAt: StandingAt) {
  switch (event.type) {
    case 'request.created':
    case 'request.approved':
    case 'request.denied':
    case 'request.withdrawn':
    case 'request.lapsed':
      return { request: requestView(standingAt(event.request, instant)) };
    case 'grant.ends_soon':
    case 'grant.ended':
      return { grant: grantView(grantStanding(event.grant, instant)) };
    case 'lock.created':
    case 'lock.removed':
      return { lock: lockView(lockStanding(event.lock, instant)) };
    case 'session.opened':
      return { session: sessionToldView(event.session, null) };
    case 'session.closed':
      return { session: sessionToldView(event.session, event.end) };
    case 'policy.loaded':
      return { policyDigest: event.policyDigest };
  }
}

function sessionToldView(session: Session, end: SessionEnd | null): z.output<typeof SessionTold> {
  const { id, grantId, decisionId, policy, subject, person, resource, protocol, downstream, guard, node } = session;
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
    startedAt: printTime(session.startedAt),
    guard,
    node,
    end: end && { at: printTime(end.at), reason: end.reason, cutAfterMs: end.cutAfter },
  };
}
