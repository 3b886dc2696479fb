import { printHolder, type TokenAnswer } from '../api/answers.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';

/** A token as a person reads it, without its secret; `now` in milliseconds since the epoch. */
export function tokenCard(token: TokenAnswer, now: number): CardLine[] {
  const { id, holder, state, createdAt, createdBy, expiresAt } = token;
  return [
    ['token', id],
    ['state', state, tokenColour(token)],
    ['speaks for', printHolder(holder)],
    ['made', `${relativeTime(createdAt, now)} by ${createdBy}`],
    ['expires', `${relativeTime(expiresAt, now)} (${expiresAt})`],
  ];
}

/** How tokens are listed. */
export function tokenColumns(now: number): Column<TokenAnswer>[] {
  return [
    { title: 'TOKEN', text: ({ id }) => id },
    { title: 'STATE', text: ({ state }) => state, colour: tokenColour },
    { title: 'EXPIRES', text: ({ expiresAt }) => relativeTime(expiresAt, now) },
    { title: 'SPEAKS FOR', text: ({ holder }) => printHolder(holder), flexible: true },
    { title: 'MADE BY', text: ({ createdBy }) => createdBy, flexible: true },
  ];
}

function tokenColour({ state }: TokenAnswer): Colour {
  return state === 'usable' ? 'good' : 'dim';
}
