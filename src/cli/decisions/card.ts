import { DENY_TEXT } from '../../domain/deny-text.js';
import type { DecisionAnswer } from '../api/answers.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { localTime } from '../output/times.js';
import { quoted } from '../output/visible.js';

/** A decision as a person reads it. */
export function decisionCard(decision: DecisionAnswer): CardLine[] {
  const { id, at, reason, subject, person, resource, actions, source, request, message } = decision;
  return [
    ['decision', id],
    ['answer', answerOf(decision), answerColour(decision)],
    ['why', reason === null ? null : textOf(reason)],
    ['message', message ? quoted(message) : null],
    ['at', at],
    ['subject', subject],
    ['person', person],
    ['resource', resource],
    ['actions', actions.join(', ') || null],
    ['request', request],
    ['source', source],
    ['grant', decision.grantId],
    ['made by', decision.requestId],
    ['policy', decision.policy],
    ['lock', decision.lockId],
  ];
}

/** How decisions are listed; `now` in milliseconds since the epoch. */
export function decisionColumns(now: number): Column<DecisionAnswer>[] {
  return [
    { title: 'DECISION', text: ({ id }) => id },
    { title: 'AT', text: ({ at }) => localTime(at, now) },
    { title: 'ANSWER', text: answerOf, colour: answerColour },
    { title: 'RESOURCE', text: ({ resource }) => resource ?? '-', flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject ?? '-', flexible: true },
    { title: 'REQUEST', text: ({ request, source }) => request ?? source ?? '-', flexible: true },
  ];
}

/** `allow`, or `deny` with its reason. */
export function answerOf({ effect, reason }: Pick<DecisionAnswer, 'effect' | 'reason'>): string {
  return reason === null ? effect : `${effect} ${reason}`;
}

/** The colour of an answer. */
export function answerColour({ effect }: Pick<DecisionAnswer, 'effect'>): Colour {
  return effect === 'allow' ? 'good' : 'bad';
}

function textOf(reason: string): string | null {
  return Object.hasOwn(DENY_TEXT, reason) ? DENY_TEXT[reason as keyof typeof DENY_TEXT] : null;
}
