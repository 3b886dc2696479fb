import type { Actor } from '../domain/actor.js';
import type { NamedDraft } from '../domain/deny-text.js';
import { isUnexpired, MAX_DRAFTS_OF_SUBJECT, type Draft } from '../domain/draft.js';
import { AccessError } from '../domain/errors.js';
import type { DraftId } from '../domain/ids.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { Policy, PolicySet } from '../domain/policy.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { personBehind } from '../domain/who.js';
import { DamagedError, type Cursor, type Snapshot } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { Drafts } from './drafts.js';
import { pageOfList, type ListedPage, type PageWish } from './list-page.js';
import { ownSubjects, readsEverything } from './rights.js';

/** A draft with what follows from the policies in force. */
export interface DraftStanding {
  readonly draft: Draft;
  readonly person: PersonId;
  /** Whether submitting it takes a justification; null when its policy is gone. */
  readonly justification: Policy['justification'] | null;
}

/** What a listing is narrowed to; everything that is given must hold. */
export interface DraftFilter {
  readonly mine?: boolean | undefined;
  readonly resource?: ResourceName | undefined;
  readonly subject?: Subject | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'> & { readonly drafts: Drafts };

/** The actor's own drafts, newest first; for auditors, operators and the host everybody's. Those that are written. */
export function listDrafts(
  needed: Needed,
  actor: Actor,
  filter: DraftFilter,
  page: PageWish,
): ListedPage<DraftStanding> {
  const set = needed.policies.current;
  const now = needed.clock.read().wall;
  const isWanted = (draft: Draft) =>
    isUnexpired(draft, now) &&
    (filter.resource === undefined || draft.resource === filter.resource) &&
    (filter.subject === undefined || draft.subject === filter.subject);
  const all = readsEverything(actor, set) && !filter.mine;
  const list = all ? everybodys : ownOf(ownSubjects(actor, set));
  const { items, next } = needed.store.read((snapshot) =>
    list(snapshot, { page, isWanted, damaged: needed.drafts.damaged }),
  );
  return { items: items.map((draft) => draftStanding(draft, set)), next };
}

/**
 * One draft.
 *
 * @throws {AccessError} `not_found`, also for what the actor may not see
 */
export async function findDraft(needed: Needed, actor: Actor, id: DraftId): Promise<DraftStanding> {
  await needed.drafts.written();
  const now = needed.clock.read().wall;
  const draft = needed.store.read((snapshot) => visibleDraft(snapshot, id, { needed, actor, now }));
  return draftStanding(draft, needed.policies.current);
}

/** How a draft stands now. */
export function draftStanding(draft: Draft, { directory, policies }: PolicySet): DraftStanding {
  const { justification = null } = policies.get(draft.policy) ?? {};
  return { draft, person: personBehind(directory, draft.subject), justification };
}

/** A draft as a refusal names it. One whose policy is gone takes a word to be on the safe side. */
export function namedDraft({ id, policy }: Draft, { policies }: PolicySet): NamedDraft {
  return { id, justification: policies.get(policy)?.justification ?? 'required' };
}

/** What the actor may not see, has expired or is damaged does not exist for it. */
export function visibleDraft(
  snapshot: Snapshot,
  id: DraftId,
  { needed, actor, now }: { readonly needed: Needed; readonly actor: Actor; readonly now: Instant },
): Draft {
  const set = needed.policies.current;
  const draft = soundDraft(snapshot, id, needed.drafts);
  const mayBeSeen = draft && (isOwnDraft(actor, draft, set) || readsEverything(actor, set));
  if (mayBeSeen && isUnexpired(draft, now)) return draft;
  throw new AccessError('not_found', `no draft ${JSON.stringify(id)}; it is gone 7 days after the last refusal`);
}

/** Whether a draft is for a subject that the actor may ask access for. */
export function isOwnDraft(actor: Actor, { subject }: Draft, set: PolicySet): boolean {
  return ownSubjects(actor, set).includes(subject);
}

/** The newest draft that a refusal of one of these actions has left; undefined where there is none. */
export function draftOf(
  snapshot: Snapshot,
  of: Pick<Draft, 'subject' | 'resource'> & { readonly actions: readonly string[] },
  now: Instant,
): Draft | undefined {
  // Whoever lists drafts tells of a damaged one.
  return draftsOf(snapshot, of.subject, () => undefined).find(
    (draft) => draft.resource === of.resource && of.actions.includes(draft.action) && isUnexpired(draft, now),
  );
}

function soundDraft(snapshot: Snapshot, id: DraftId, { damaged }: Pick<Drafts, 'damaged'>): Draft | undefined {
  try {
    return snapshot.draft(id);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    damaged(error);
    return undefined;
  }
}

interface Listing {
  readonly page: PageWish;
  readonly isWanted: (draft: Draft) => boolean;
  readonly damaged: (cause: unknown) => void;
}

function everybodys(snapshot: Snapshot, { page, isWanted, damaged }: Listing): ListedPage<Draft> {
  const after = page.after as Cursor | undefined;
  return snapshot.drafts({ limit: page.limit, after, keep: isWanted, damaged });
}

/** A person has few subjects, and each few drafts. */
function ownOf(subjects: readonly Subject[]) {
  return (snapshot: Snapshot, { page, isWanted, damaged }: Listing): ListedPage<Draft> => {
    const own = subjects.flatMap((subject) => draftsOf(snapshot, subject, damaged)).filter(isWanted);
    return pageOfList(own, page, ({ createdAt, id }) => `${String(createdAt).padStart(16, '0')}.${id}`, 'descending');
  };
}

/** Newest first. */
function draftsOf(snapshot: Snapshot, subject: Subject, damaged: (cause: unknown) => void): readonly Draft[] {
  return snapshot.drafts({ subject, limit: 2 * MAX_DRAFTS_OF_SUBJECT, damaged }).items;
}
