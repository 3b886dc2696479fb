import type { AccessEvent, Told } from '../access/events/event.js';
import { printDuration } from '../domain/durations.js';
import { grantStateOf, type Grant } from '../domain/grant.js';
import { printLockTarget, type Lock } from '../domain/lock.js';
import { requestStateOf, type AccessRequest } from '../domain/request.js';
import type { Review } from '../domain/review.js';
import type { Instant } from '../domain/time.js';
import { visible } from '../domain/visible.js';

/** Kinds of notices: what whoever sets them up chooses from. */
export type NoticeKind = 'asked' | 'decided' | 'ends_soon' | 'ended' | 'lock';

/**
 * One notice, as programs outside get it. All text in it is on one line, with what is invisible as escapes, and none of it is
 * secret; who asks has written `justification`, so it is to be shown and never to be run.
 */
export interface Notice {
  readonly v: 1;
  /** The same each time that this is told. */
  readonly id: string;
  readonly kind: NoticeKind;
  /** As in the stream of events. */
  readonly event: AccessEvent['type'];
  /** RFC 3339, in UTC. */
  readonly at: string;
  /** One sentence, for people. */
  readonly text: string;
  readonly request?: RequestTold;
  readonly grant?: GrantTold;
  readonly lock?: LockTold;
}

interface Asked {
  readonly person: string;
  readonly subject: string;
  readonly resource: string;
  readonly actions: readonly string[];
  readonly policy: string;
}

interface RequestTold extends Asked {
  readonly id: string;
  readonly state: string;
  readonly duration: string;
  readonly justification: string;
  readonly askedBy: string;
  readonly lapsesAt: string;
  readonly reviews: readonly { readonly person: string; readonly verdict: string; readonly reason: string }[];
  /** The first of those who can review it. */
  readonly reviewers: readonly string[];
  /** What shows it, and what a reviewer types; null once it is decided. */
  readonly command: string | null;
}

interface GrantTold extends Asked {
  readonly id: string;
  readonly requestId: string;
  readonly startsAt: string;
  readonly expiresAt: string;
  readonly approvedBy: readonly string[];
  /** Why it has ended; null before. */
  readonly reason: string | null;
  readonly endedBy: string | null;
  readonly why: string;
}

interface LockTold {
  readonly id: string;
  readonly target: string;
  readonly reason: string;
  readonly message: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly state: 'created' | 'removed';
}

/** What is known of a request besides its record. */
export interface Known {
  readonly reviews: readonly Review[];
  readonly reviewers: readonly string[];
}

/** The kind of notice that an event is; null where nobody is to be told. */
export function kindOf({ type }: AccessEvent): NoticeKind | null {
  switch (type) {
    case 'request.created':
      return 'asked';
    case 'request.approved':
    case 'request.denied':
    case 'request.withdrawn':
    case 'request.lapsed':
      return 'decided';
    case 'grant.ends_soon':
      return 'ends_soon';
    case 'grant.ended':
      return 'ended';
    case 'lock.created':
    case 'lock.removed':
      return 'lock';
    case 'session.opened':
    case 'session.closed':
    case 'policy.loaded':
      return null;
  }
}

/** The notice that an event is; null where nobody is to be told. */
export function noticeOf({ key, at, event }: Told, knownOf: (request: AccessRequest) => Known): Notice | null {
  const kind = kindOf(event);
  if (kind === null) return null;
  const common = { v: 1, id: key, kind, event: event.type, at: printTime(at) } as const;
  if ('request' in event) {
    const request = requestTold(event.request, at, knownOf(event.request));
    return allVisible({ ...common, text: requestText(request), request });
  }
  if ('grant' in event) {
    const grant = grantTold(event.grant, at);
    return allVisible({ ...common, text: grantText(grant, kind), grant });
  }
  if (!('lock' in event)) return null;
  const lock = lockTold(event.lock, event.type === 'lock.created' ? 'created' : 'removed');
  return allVisible({ ...common, text: `lock on ${lock.target} ${lock.state}: ${lock.reason}`, lock });
}

function requestTold(request: AccessRequest, at: Instant, { reviews, reviewers }: Known): RequestTold {
  const { id, person, subject, resource, actions, policy, justification, askedBy } = request;
  const state = requestStateOf(request, at);
  return {
    id,
    state,
    person,
    subject,
    resource,
    actions,
    policy,
    duration: printDuration(request.duration),
    justification,
    askedBy,
    lapsesAt: printTime(request.lapsesAt),
    reviews: reviews.map(({ person, verdict, reason }) => ({ person, verdict, reason })),
    reviewers,
    command: state === 'pending' ? `portcullis approve ${id}` : null,
  };
}

function grantTold(grant: Grant, at: Instant): GrantTold {
  const { id, requestId, person, subject, resource, actions, policy, approvedBy, end } = grant;
  const state = grantStateOf(grant, at);
  return {
    id,
    requestId,
    person,
    subject,
    resource,
    actions,
    policy,
    startsAt: printTime(grant.startsAt),
    expiresAt: printTime(grant.expiresAt),
    approvedBy,
    reason: state.state === 'ended' ? state.reason : null,
    endedBy: end?.by ?? null,
    why: end?.why ?? '',
  };
}

function lockTold({ id, target, reason, message, createdBy, expiresAt }: Lock, state: LockTold['state']): LockTold {
  const until = expiresAt === null ? null : printTime(expiresAt);
  return { id, target: printLockTarget(target), reason, message, createdBy, expiresAt: until, state };
}

function requestText({ state, person, resource, duration, justification, reviews }: RequestTold): string {
  const why = justification === '' ? '' : `: ${justification}`;
  if (state === 'pending') return `${person} asks for ${resource} for ${duration}${why}`;
  const by = reviews.filter(({ verdict }) => verdict === (state === 'denied' ? 'deny' : 'approve'));
  const who = state === 'approved' || state === 'denied' ? ` by ${by.map(({ person }) => person).join(', ')}` : '';
  return `the request of ${person} for ${resource} is ${state}${who}`;
}

function grantText({ person, resource, reason, endedBy, expiresAt }: GrantTold, kind: NoticeKind): string {
  if (kind === 'ends_soon') return `the access of ${person} to ${resource} ends at ${expiresAt}`;
  return `the access of ${person} to ${resource} has ended: ${reason}${endedBy === null ? '' : ` by ${endedBy}`}`;
}

/** Every text in it, wherever it is. */
function allVisible<T>(value: T): T {
  if (typeof value === 'string') return visible(value) as T;
  if (Array.isArray(value)) return value.map(allVisible) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, allVisible(member)])) as T;
}

function printTime(instant: Instant): string {
  return new Date(instant).toISOString();
}
