import type { Actor } from '../domain/actor.js';
import { grantStateOf, type Grant } from '../domain/grant.js';
import { stillAdmits, type PolicySet } from '../domain/policy.js';
import type { Duration, Instant } from '../domain/time.js';
import type { Cursor } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { recordEnd } from './end-grant.js';

const SYSTEM: Actor = { kind: 'system' };
const PAGE = 200;

/**
 * Ends every grant that the policies in force no longer admit. The checks judge that themselves from the moment a policy
 * set is loaded; this writes it down, so that a grant which was refused once does not come back with the next edit of
 * a file. Gives way between pages; resolves with the number of grants ended.
 */
export async function endInadmissible({
  store,
  clock,
  policies,
}: Pick<Dependencies, 'store' | 'clock' | 'policies'>): Promise<number> {
  let ended = 0;
  let after: Cursor | undefined;
  do {
    const now = clock.read().wall;
    const page = store.read((snapshot) =>
      snapshot.grants({
        unexpiredAt: now,
        limit: PAGE,
        after,
        keep: (grant) => isInadmissible(grant, policies.current, now),
      }),
    );
    if (page.items.length > 0) {
      ended += await store.change(now, (change) => {
        // Judged again inside the transaction: a reload in between may admit it after all.
        const still = page.items.map((grant) => change.grant(grant.id)).filter((grant) => grant !== undefined);
        const gone = still.filter((grant) => isInadmissible(grant, policies.current, now));
        for (const grant of gone)
          recordEnd(change, SYSTEM, grant, 'policy_changed', now, `policy ${grant.policy} no longer admits it`);
        return gone.length;
      });
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
