import type { DenyReason } from '../domain/decision.js';
import {
  DRAFT_KEPT,
  isUnexpired,
  MAX_DRAFTS,
  MAX_DRAFTS_OF_SUBJECT,
  type Draft,
  type DraftTarget,
} from '../domain/draft.js';
import type { DecisionId, DraftId } from '../domain/ids.js';
import type { AccessRequest } from '../domain/request.js';
import type { Subject } from '../domain/subject.js';
import { after, type Instant } from '../domain/time.js';
import { DamagedError, type Change, type Store } from '../store/store.js';

/** What a draft tells of a refusal. */
export interface Refused {
  readonly decisionId: DecisionId;
  readonly at: Instant;
  readonly reason: DenyReason;
  readonly request: string | null;
  readonly source: string | null;
}

/** Refusals that leave one draft. */
export interface Counted {
  readonly id: DraftId;
  readonly target: DraftTarget;
  /** The last of them. */
  readonly refused: Refused;
  readonly count: number;
  /** It has been written before: where it is no longer there, somebody has taken it away. */
  readonly isKnown: boolean;
}

export interface Keeping {
  /** Of drafts that have been refused just now: they do not make way for others. */
  readonly isLive: (id: DraftId) => boolean;
  readonly damaged: (cause: unknown) => void;
  /** The most there may be in all. */
  readonly most?: number;
}

/** How far it is looked for one that may go. */
const LOOKS = 200;

/** Writes drafts in one transaction; returns those that are no longer there. Older ones make way where there are too many. */
export function keepDrafts(
  store: Pick<Store, 'change'>,
  batch: readonly Counted[],
  keeping: Keeping,
): Promise<readonly DraftId[]> {
  const now = Math.max(...batch.map(({ refused }) => refused.at)) as Instant;
  return store.change(now, (change) => {
    const gone = batch.filter((counted) => !keepOne(change, counted, keeping)).map(({ id }) => id);
    return [...gone, ...makeWay(change, keeping)];
  });
}

/** False for one that somebody has taken away, or submitted, since. */
function keepOne(change: Change, counted: Counted, keeping: Keeping): boolean {
  const { id, target, refused, count, isKnown } = counted;
  const { at, ...last } = refused;
  const before = draftBefore(change, id, at, keeping);
  if (before === 'none' && (isKnown || isAskedFor(change, target, at))) return false;
  const kept = typeof before === 'object' ? before : { count: 0, createdAt: at };
  const draft = { id, ...target, ...last, count: kept.count + count, createdAt: kept.createdAt, lastAt: at };
  change.keepDraft({ ...draft, expiresAt: after(at, DRAFT_KEPT) });
  if (typeof before !== 'object') makeWayOf(change, target.subject, keeping);
  return true;
}

function isAskedFor(change: Change, target: DraftTarget, now: Instant): boolean {
  return change.pendingFor(target.subject, target.resource, now).some((request) => coversDraft(request, target));
}

/** One that has expired is as good as none; a damaged one was there, and is written anew. */
function draftBefore(change: Change, id: DraftId, now: Instant, { damaged }: Keeping): Draft | 'none' | 'damaged' {
  try {
    const draft = change.draft(id);
    return draft && isUnexpired(draft, now) ? draft : 'none';
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    damaged(error);
    return 'damaged';
  }
}

/** Of one subject the ones that were refused least lately go. */
function makeWayOf(change: Change, subject: Subject, { isLive, damaged }: Keeping): void {
  const all = change.drafts({ subject, limit: 2 * MAX_DRAFTS_OF_SUBJECT, damaged }).items;
  const idle = all.filter(({ id }) => !isLive(id)).toSorted((a, b) => a.lastAt - b.lastAt);
  for (const { id } of idle.slice(0, Math.max(0, all.length - MAX_DRAFTS_OF_SUBJECT))) change.removeDraft(id);
}

/** Of all the ones that expire first go. */
function makeWay(change: Change, { isLive, most = MAX_DRAFTS }: Keeping): readonly DraftId[] {
  const over = change.draftCount() - most;
  if (over <= 0) return [];
  const first = change.draftsEndingFirst(over + LOOKS);
  const going = [...first.filter((id) => !isLive(id)), ...first.filter(isLive)].slice(0, over);
  for (const id of going) change.removeDraft(id);
  return going;
}

/** What has been asked for needs no draft any more. */
export function removeCoveredDrafts(change: Change, request: AccessRequest): void {
  // A damaged one covers nothing; whoever lists drafts tells of it.
  const query = { subject: request.subject, limit: 2 * MAX_DRAFTS_OF_SUBJECT, damaged: () => undefined };
  for (const draft of change.drafts(query).items) if (coversDraft(request, draft)) change.removeDraft(draft.id);
}

/** Whether a request asks for all that a draft would. One that is bound lets in the connection alone that waits for it. */
export function coversDraft(request: AccessRequest, { subject, resource, action }: DraftTarget): boolean {
  return (
    request.subject === subject &&
    request.resource === resource &&
    request.actions.includes(action) &&
    request.binding === undefined
  );
}
