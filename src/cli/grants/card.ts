import type { GrantAnswer } from '../api/answers.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';
import { actionLines, bindingLines, said } from '../requests/card.js';

/** A grant as a person reads it; `now` in milliseconds since the epoch. */
export function grantCard(grant: GrantAnswer, now: number): CardLine[] {
  const { id, subject, person, resource, actions, patterns, policy, requestId, approvedBy, end, binding } = grant;
  return [
    ['grant', id],
    ['state', stateOf(grant), grantColour(grant)],
    ['subject', subject],
    ['person', person],
    ['resource', resource],
    ...actionLines(actions, patterns),
    ...bindingLines(binding),
    ['starts', `${relativeTime(grant.startsAt, now)} (${grant.startsAt})`],
    [
      grant.state === 'ended' ? 'expired' : 'expires',
      end === null ? `${relativeTime(grant.expiresAt, now)} (${grant.expiresAt})` : null,
    ],
    ['ended', end && `${relativeTime(end.at, now)} by ${said(end.by, end.why)}`],
    ['policy', policy],
    ['request', requestId],
    ['approved by', approvedBy.join(', ')],
  ];
}

/** How grants are listed. */
export function grantColumns(now: number): Column<GrantAnswer>[] {
  return [
    { title: 'GRANT', text: ({ id }) => id },
    { title: 'STATE', text: stateOf, colour: grantColour },
    { title: 'ENDS', text: ({ end, expiresAt }) => relativeTime(end?.at ?? expiresAt, now) },
    { title: 'RESOURCE', text: ({ resource }) => resource, flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
    { title: 'APPROVED BY', text: ({ approvedBy }) => approvedBy.join(', '), flexible: true },
  ];
}

/** Of an ended grant the reason says more than that it has ended. */
function stateOf({ state, reason }: GrantAnswer): string {
  return reason ?? state;
}

function grantColour({ state }: GrantAnswer): Colour | null {
  if (state === 'active') return 'good';
  return state === 'ended' ? 'dim' : 'waiting';
}
