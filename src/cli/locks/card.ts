import { printTarget, type LockAnswer } from '../api/answers.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';
import { quoted } from '../output/visible.js';

/** A lock as a person reads it; `now` in milliseconds since the epoch. */
export function lockCard(lock: LockAnswer, now: number): CardLine[] {
  const { id, target, state, reason, message, createdAt, createdBy, expiresAt } = lock;
  return [
    ['lock', id],
    ['state', state, lockColour(lock)],
    ['denies', printTarget(target)],
    ['reason', quoted(reason)],
    ['message', message === '' ? null : quoted(message)],
    ['made', `${relativeTime(createdAt, now)} by ${createdBy}`],
    [
      'expires',
      state === 'removed'
        ? null
        : expiresAt === null
          ? 'when it is removed'
          : `${relativeTime(expiresAt, now)} (${expiresAt})`,
    ],
  ];
}

/** How locks are listed. */
export function lockColumns(now: number): Column<LockAnswer>[] {
  return [
    { title: 'LOCK', text: ({ id }) => id },
    { title: 'STATE', text: ({ state }) => state, colour: lockColour },
    { title: 'EXPIRES', text: ({ expiresAt }) => (expiresAt === null ? 'never' : relativeTime(expiresAt, now)) },
    { title: 'DENIES', text: ({ target }) => printTarget(target), flexible: true },
    { title: 'BY', text: ({ createdBy }) => createdBy, flexible: true },
    { title: 'REASON', text: ({ reason }) => reason, flexible: true },
  ];
}

function lockColour({ state }: LockAnswer) {
  return state === 'in_force' ? 'bad' : 'dim';
}
