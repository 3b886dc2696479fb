import type { Actor } from '../domain/actor.js';
import { printActor } from '../domain/actor.js';
import type { Draft } from '../domain/draft.js';
import { AccessError } from '../domain/errors.js';
import type { DraftId } from '../domain/ids.js';
import type { AccessRequest } from '../domain/request.js';
import type { Instant } from '../domain/time.js';
import type { Snapshot } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { Drafts } from './drafts.js';
import { isOwnDraft, visibleDraft } from './list-drafts.js';
import { once, type Idempotency } from './once.js';
import { ask, timeForRequests, type Wish } from './request.js';

type Needed = Dependencies & { readonly drafts: Drafts };

/** What somebody adds to a draft; the rest stands in it. */
export type Submission = Pick<Wish, 'duration' | 'justification'> & { readonly id: DraftId };

/**
 * Makes an access request of a draft, which is gone with that. Only its own person may.
 *
 * @throws {AccessError} `not_found`, `not_permitted`, and as `submitRequest`
 */
export async function submitDraft(
  needed: Needed,
  actor: Actor,
  { id, duration, justification }: Submission,
  idempotency: Idempotency | null,
): Promise<AccessRequest> {
  const now = timeForRequests(needed);
  await needed.drafts.written();
  return needed.store.change(now, (change) =>
    once(change, actor, idempotency, now, () => {
      const { subject, resource, action, policy } = ownDraft(change, id, { needed, actor, now });
      const wish = { subject, resource, actions: [action], policy, duration, justification };
      return ask(change, needed, { actor, wish, now });
    }),
  );
}

/**
 * Throws a draft away. Only its own person may; the next refusal leaves another one.
 *
 * @throws {AccessError} `not_found`, `not_permitted`
 */
export async function dismissDraft(
  needed: Needed,
  actor: Actor,
  id: DraftId,
  idempotency: Idempotency | null,
): Promise<Draft> {
  const now = needed.clock.read().wall;
  await needed.drafts.written();
  const dismissed = await needed.store.change(now, (change) =>
    once(change, actor, idempotency, now, () => {
      const draft = ownDraft(change, id, { needed, actor, now });
      change.removeDraft(id);
      return draft;
    }),
  );
  needed.drafts.forget(id);
  return dismissed;
}

function ownDraft(
  snapshot: Snapshot,
  id: DraftId,
  { needed, actor, now }: { readonly needed: Needed; readonly actor: Actor; readonly now: Instant },
): Draft {
  const draft = visibleDraft(snapshot, id, { needed, actor, now });
  if (isOwnDraft(actor, draft, needed.policies.current)) return draft;
  throw new AccessError(
    'not_permitted',
    `${id} is a draft for ${draft.subject}, which is none of ${printActor(actor)}`,
  );
}
