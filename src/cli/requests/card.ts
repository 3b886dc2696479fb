import { printTarget, type BindingAnswer, type RequestAnswer } from '../api/answers.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';
import { quoted } from '../output/visible.js';

/** So many digits of a digest tell two requests apart for people. */
const DIGEST_SHOWN = 12;

/** A request as a person reads it; `now` in milliseconds since the epoch. */
export function requestCard(request: RequestAnswer, now: number): CardLine[] {
  return [
    ['request', request.id],
    ['state', request.state, requestColour(request.state)],
    ...contentLines(request),
    ...(request.state === 'pending' ? [['lapses', relativeTime(request.lapsesAt, now)] as const] : []),
    ...standingLines(request),
  ];
}

/** How far it has got: who has said what, and who still can. */
export function standingLines(request: RequestAnswer): CardLine[] {
  const { reviews, approvalsNeeded, reviewers, grantId, state } = request;
  const approvals = reviews.filter(({ verdict }) => verdict === 'approve').length;
  return [
    ...reviews.map(({ person, verdict, reason }): CardLine => [
      verdict === 'approve' ? 'approved' : 'denied',
      said(person, reason),
    ]),
    ['approvals', approvalsNeeded === null ? null : `${approvals} of ${approvalsNeeded}`],
    ['reviewers', state === 'pending' ? reviewers.join(', ') || 'nobody' : null],
    ['grant', grantId],
    ...lockLines(request),
  ];
}

/** What denies it all the same while it lasts. */
export function lockLines({ locks }: Pick<RequestAnswer, 'locks'>): CardLine[] {
  return locks.map(({ id, target, message }) => [
    'locked',
    `${id}  ${printTarget(target)}${message === '' ? '' : `  ${quoted(message)}`}`,
    'bad',
  ]);
}

/** What a review is given on: everything that the digest covers and a person can judge. */
export function contentLines(request: RequestAnswer): CardLine[] {
  const { subject, person, askedBy, resource, actions, patterns, duration, justification, policy, digest } = request;
  const { binding, connection } = request;
  return [
    ['subject', subject],
    ['person', person],
    ['asked by', askedBy === person ? null : askedBy],
    ['resource', resource],
    ...actionLines(actions, patterns),
    ['duration', duration],
    ...bindingLines(binding),
    ...connectionLines(connection, binding),
    ['reason', justification === '' ? 'none given' : quoted(justification)],
    ['policy', policy],
    ['digest', digest.slice(0, DIGEST_SHOWN)],
  ];
}

/** Actions with what they let through, for HTTP: the same name may have meant less yesterday. */
export function actionLines(
  actions: readonly string[],
  patterns: Readonly<Record<string, readonly string[]>>,
): CardLine[] {
  return actions.map((action) => {
    const meaning = Object.hasOwn(patterns, action) ? `: ${patterns[action]!.join('; ')}` : '';
    return ['action', action + meaning];
  });
}

/** What the access is bound to besides its subject. */
export function bindingLines(binding: BindingAnswer): CardLine[] {
  return [
    ['bound to key', binding?.key ?? null],
    ['bound to source', binding?.sources ? binding.sources.join(', ') || 'none' : null],
  ];
}

/** The connection that waits. A client chose its path. */
function connectionLines(connection: RequestAnswer['connection'], binding: BindingAnswer): CardLine[] {
  if (connection === null) return [];
  const { source, key, request } = connection;
  return [
    ['connection', `from ${source}`],
    ['its key', key === binding?.key ? null : key],
    ['its request', request === null ? 'none: no HTTP' : quoted(request)],
  ];
}

/** The colour of a request's state. */
export function requestColour(state: string): Colour | null {
  return COLOURS[state] ?? null;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  pending: 'waiting',
  approved: 'good',
  denied: 'bad',
  withdrawn: 'dim',
  lapsed: 'dim',
};

/** What a person said, with the reason where one was given. */
export function said(person: string, reason: string): string {
  return reason === '' ? person : `${person}: ${quoted(reason)}`;
}

/** How requests are listed; `now` in milliseconds since the epoch. */
export function requestColumns(now: number): Column<RequestAnswer>[] {
  return [
    { title: 'REQUEST', text: ({ id }) => id },
    { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => requestColour(state) },
    { title: 'FOR', text: ({ duration }) => duration },
    { title: 'MADE', text: ({ createdAt }) => relativeTime(createdAt, now) },
    { title: 'RESOURCE', text: ({ resource }) => resource, flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
    { title: 'REASON', text: ({ justification }) => justification, flexible: true },
  ];
}
