import { decide } from '../domain/decide.js';
import type { DenyReason } from '../domain/decision.js';
import { longestFirst, type Grant } from '../domain/grant.js';
import type { ActionName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { Snapshot } from '../store/store.js';

/** What live sessions are judged against. */
export interface Judging {
  readonly snapshot: Pick<Snapshot, 'locks' | 'grantsFor'>;
  readonly policies: PolicySet;
  readonly now: Instant;
}

/** Whether what began under a grant may go on, under it or under another one that covers it. */
export type Standing =
  | { readonly stands: true }
  | { readonly stands: false; readonly reason: DenyReason; readonly instead: Grant | null };

/**
 * Judges a grant as a check would. That the clock is suspect plays no part: it keeps new sessions out, but those that live
 * have their end on other clocks too.
 */
export function standingOf(grant: Grant, judging: Judging): Standing {
  const reason = whyNot(grant, grant, judging);
  return reason === null ? { stands: true } : { stands: false, reason, instead: insteadOf(grant, judging) };
}

/**
 * The grant that covers all of what another one gives, and lasts longest; null when none does. Which of the actions a session
 * makes use of is not known, so it must be all of them, meaning the same.
 */
function insteadOf(grant: Grant, judging: Judging): Grant | null {
  const others = longestFirst(judging.snapshot.grantsFor(grant.subject, grant.resource, judging.now));
  return others.find((other) => other.id !== grant.id && covers(other, grant, judging)) ?? null;
}

/** Whether a grant carries, now, all that another one gives. */
export function covers(other: Grant, grant: Grant, judging: Judging): boolean {
  return (
    other.subject === grant.subject &&
    other.resource === grant.resource &&
    grant.actions.every((action) => patternsOf(other, action) === patternsOf(grant, action)) &&
    whyNot(other, grant, judging) === null
  );
}

/**
 * Why a grant does not carry what `began` under a grant. Of what a session shows only this is known: that it fitted what
 * that grant is bound to.
 */
function whyNot(grant: Grant, began: Grant, { snapshot, policies, now }: Judging): DenyReason | null {
  const { actions } = began;
  const facts = { policies, locks: snapshot.locks(), grants: [grant], pending: [] };
  const ways = actions.flatMap((one) => sourcesIn(began).map((from) => [one, from] as const));
  for (const [action, source] of ways) {
    const key = began.binding?.key ?? undefined;
    const question = {
      subject: { is: grant.subject, validUntil: Infinity as Instant, ...(key !== undefined && { key }) },
      resource: { is: grant.resource },
      actions: [action],
      source,
    };
    const decision = decide(question, facts, { wall: now, mono: 0, trusted: true });
    if (decision.effect === 'deny') return decision.reason;
  }
  return ways.length === 0 ? 'out_of_scope' : null;
}

/** Null: from anywhere. */
function sourcesIn({ binding }: Grant): readonly (string | null)[] {
  return binding?.sources ?? [null];
}

function patternsOf({ patterns }: Grant, action: ActionName): string {
  return JSON.stringify(Object.hasOwn(patterns, action) ? patterns[action]!.toSorted() : null);
}
