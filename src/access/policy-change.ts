import type { Actor } from '../domain/actor.js';
import { grantStateOf, type Grant } from '../domain/grant.js';
import { stillAdmits, type PolicySet } from '../domain/policy.js';
import type { Duration, Instant } from '../domain/time.js';
import type { Cursor } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { recordEnd } from './end-grant.js';

const SYSTEM: Actor = { kind: 'system' };
/** A millisecond or so. */
const PAGE = 50;

/**
 * Ends every grant that this policy set does not admit. The checks judge that themselves from the moment the set is in
 * force; this writes it down, so that a grant which was refused once does not come back with the next edit of a file. So
 * it must have come through for one set before the next one may be put in force, whatever that one admits.
 *
 * Gives way between pages, and gives up there once `signal` is aborted. Resolves with the number of grants ended; when it
 * rejects, those ended so far stay ended, and it may be called again.
 */
export async function endInadmissible(
  { store, clock, room }: Pick<Dependencies, 'store' | 'clock' | 'room'>,
  set: PolicySet,
  signal?: AbortSignal,
): Promise<number> {
  let ended = 0;
  let after: Cursor | undefined;
  do {
    signal?.throwIfAborted();
    const now = clock.read().wall;
    const keep = (grant: Grant) => isInadmissible(grant, set, now);
    const page = store.read((snapshot) => snapshot.grants({ unexpiredAt: now, limit: PAGE, after, keep }));
    if (page.items.length > 0) {
      ended += await room.ending(() =>
        store.change(now, (change) => {
          // Judged again inside the transaction: somebody may have ended one in between, and that end stays.
          const still = page.items.map((grant) => change.grant(grant.id)).filter((grant) => grant !== undefined);
          const gone = still.filter(keep);
          for (const grant of gone)
            recordEnd(change, SYSTEM, grant, 'policy_changed', now, `policy ${grant.policy} no longer admits it`);
          return gone.length;
        }),
      );
    }
    after = page.next ?? undefined;
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
  return ended;
}

/** Whether a live grant has lost its policy. */
function isInadmissible(grant: Grant, policies: PolicySet, now: Instant): boolean {
  if (grantStateOf(grant, now).state === 'ended') return false;
  return !stillAdmits(policies, grant.policy, grant, (grant.expiresAt - grant.startsAt) as Duration);
}
