import type { RequestAnswer } from '../api/answers.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
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
  ];
}

/** What a review is given on: everything that the digest covers and a person can judge. */
export function contentLines(request: RequestAnswer): CardLine[] {
  const { subject, person, askedBy, resource, actions, patterns, duration, justification, policy, digest } = request;
  return [
    ['subject', subject],
    ['person', person],
    ['asked by', askedBy === person ? null : askedBy],
    ['resource', resource],
    ...actionLines(actions, patterns),
    ['duration', duration],
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
