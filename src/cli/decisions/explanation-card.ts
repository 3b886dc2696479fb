import { printTarget, type ExplanationAnswer } from '../api/answers.js';
import type { CardLine } from '../output/print.js';
import { relativeTime } from '../output/times.js';
import { quoted } from '../output/visible.js';
import { bindingLines } from '../requests/card.js';
import { answerColour, answerOf } from './card.js';

/** What would be decided, why, and what led to it; `now` in milliseconds since the epoch. */
export function explanationCard(explained: ExplanationAnswer, now: number): CardLine[] {
  const { text, message, endsAt, subject, person, resource, actions, locks, grants, pending, policies } = explained;
  return [
    ['answer', answerOf(explained), answerColour(explained)],
    ['why', text],
    ['message', message ? quoted(message) : null],
    ['ends', endsAt && `${relativeTime(endsAt, now)} (${endsAt})`],
    ['subject', subject ?? 'none'],
    ['person', person],
    ['resource', resource ?? 'none'],
    ['actions', actions.join(', ') || null],
    ...locks.map(({ id, target, message }): CardLine => [
      'lock',
      `${id}  ${printTarget(target)}${message === '' ? '' : `  ${quoted(message)}`}`,
    ]),
    ...grants.flatMap(({ id, state, reason, expiresAt, actions, binding, end }): CardLine[] => [
      [
        'grant',
        `${id}  ${reason ?? state}  ${actions.join(', ')}  ${state === 'ended' ? 'ended' : 'ends'} ${relativeTime(end?.at ?? expiresAt, now)}`,
      ],
      ...bindingLines(binding),
    ]),
    ...pending.map(({ id, lapsesAt }): CardLine => ['waits', `${id}  lapses ${relativeTime(lapsesAt, now)}`]),
    ['policies', policies.join(', ') || 'none admits the subject to the resource'],
    [
      'holds',
      explained.hold &&
        `a connection waits up to ${explained.hold.longest} for an approval, under ${explained.hold.policy}`,
    ],
    ['draft', explained.draft],
    ['try', explained.cure],
  ];
}
