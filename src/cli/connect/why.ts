import type { DenyReason } from '../../domain/decision.js';
import { DENY_TEXT, denyText, isCurable, NOT_ADMITTED } from '../../domain/deny-text.js';
import type { ExplanationAnswer, GrantAnswer } from '../api/answers.js';
import { relativeTime } from '../output/times.js';
import { said } from '../requests/card.js';

/** Why there is no access, for a person: the reason, who ended the grant, and what a lock tells. `now` in milliseconds since the epoch. */
export function whyNot(explained: ExplanationAnswer, now: number): string {
  const last = lastEnded(explained);
  const reason = reasonOf(explained);
  const isVain = isCurableInVain(explained);
  const text = isKnown(reason) ? denyText(reason, isVain ? { admitted: [] } : {}) : explained.text;
  return [
    `${reason}: ${text ?? 'access is denied'}`,
    ...(isVain ? [NOT_ADMITTED] : []),
    ...(last ? endOf(last, now) : [toldBy(explained)].filter((told) => told !== '')),
  ].join('; ');
}

/**
 * The reason in one word. Of several grants that have ended the service names the one that would have lasted longest; whoever
 * was connected until now wants to hear of the one that ended last.
 */
export function reasonOf(explained: ExplanationAnswer): string {
  return lastEnded(explained)?.reason ?? explained.reason ?? 'denied';
}

const ENDS: ReadonlySet<string> = new Set([
  'expired',
  'unused',
  'returned',
  'revoked',
  'exhausted',
  'policy_changed',
  'transferred',
] satisfies DenyReason[]);

/** Only where a grant's end is what is wrong: a lock, say, hits those that go on. */
function lastEnded({ reason, grants }: ExplanationAnswer): GrantAnswer | undefined {
  if (reason === null || !ENDS.has(reason)) return undefined;
  return grants.filter(({ state }) => state === 'ended').toSorted((a, b) => endedAt(b) - endedAt(a))[0];
}

function endedAt({ end, expiresAt }: GrantAnswer): number {
  return Date.parse(end?.at ?? expiresAt);
}

/** Who ended it, and when. An expired one ended by itself. */
function endOf({ end, expiresAt, reason }: GrantAnswer, now: number): string[] {
  if (end) return [`${relativeTime(end.at, now)} by ${said(end.by, end.why)}`];
  return reason === 'expired' ? [`it ended ${relativeTime(expiresAt, now)}`] : [];
}

/** Whether asking could help, and no policy lets whoever it is ask. */
function isCurableInVain({ reason, cure }: ExplanationAnswer): boolean {
  return cure === null && reason !== null && isKnown(reason) && isCurable(reason);
}

function toldBy({ message, locks }: ExplanationAnswer): string {
  return message ?? locks.find((lock) => lock.message !== '')?.message ?? '';
}

function isKnown(reason: string): reason is DenyReason {
  return Object.hasOwn(DENY_TEXT, reason);
}
