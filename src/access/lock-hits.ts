import { grantStateOf, type Grant } from '../domain/grant.js';
import { hits, type Hit, type Lock } from '../domain/lock.js';
import { personBehind, type Directory } from '../domain/who.js';
import type { Cursor, Page } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { LiveSessions } from './live-sessions.js';

/** What a lock has hit. */
export interface LockHits {
  /** Grants that have not ended and that it denies; null where there are too many to look at, or they cannot be read. */
  readonly grants: number | null;
  /** Sessions that it has cut, or is cutting. */
  readonly sessions: number;
}

/** Of grants whose end lies ahead; each page is a few milliseconds of everybody's time. */
const MAX_PAGES = 20;
const PAGE = 500;

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'> & { readonly sessions: Pick<LiveSessions, 'all'> };

/** Counts what a lock has hit, for whoever has just made it. The lock holds whatever comes of this. */
export async function hitsOf(needed: Needed, lock: Lock): Promise<LockHits> {
  const { directory } = needed.policies.current;
  return { grants: await grantsHit(needed, lock, directory), sessions: sessionsHit(needed, lock, directory) };
}

async function grantsHit({ store, clock }: Needed, lock: Lock, directory: Directory): Promise<number | null> {
  const now = clock.read().wall;
  const keep = (grant: Grant) => grantStateOf(grant, now).state !== 'ended' && isHit(lock, grant, directory);
  let count = 0;
  let after: Cursor | undefined;
  try {
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page: Page<Grant> = store.read((snapshot) =>
        snapshot.grants({ unexpiredAt: now, limit: PAGE, after, keep }),
      );
      count += page.items.length;
      if (page.next === null) return count;
      after = page.next;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch {
    // The lock is on disk: that nobody can say what it hits is no failure of it. Whoever reads the grants next hears of the damage.
  }
  return null;
}

function sessionsHit({ sessions }: Needed, lock: Lock, directory: Directory): number {
  let count = 0;
  for (const { session, end } of sessions.all()) {
    const isCut = end === null || (end.reason === 'locked' && end.at >= lock.createdAt);
    if (isCut && isHit(lock, session, directory)) count += 1;
  }
  return count;
}

/** As a check judges: by whom it was given to, and by who is behind the subject now. */
function isHit(lock: Lock, of: Hit, directory: Directory): boolean {
  return hits(lock, of) || hits(lock, { ...of, person: personBehind(directory, of.subject) });
}
