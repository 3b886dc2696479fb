import type { Dependencies, Room } from '../src/access/dependencies.js';
import { Events } from '../src/access/events/events.js';
import { publishing } from '../src/access/feed.js';
import { giveReview } from '../src/access/review.js';
import { createDrafts } from '../src/access/drafts.js';
import { submitRequest, type Wish } from '../src/access/request.js';
import type { Actor } from '../src/domain/actor.js';
import type { Grant } from '../src/domain/grant.js';
import type { NewId, RequestId } from '../src/domain/ids.js';
import type { PolicySet } from '../src/domain/policy.js';
import { fakeClock } from '../src/domain/time.js';
import { memoryStore } from '../src/store/memory.js';
import type { Store } from '../src/store/store.js';
import { actorFor, ordersDb, policySet, sha256, T0 } from './builders.js';

/** Ids in the order of their making: `req_0…01`, `req_0…02`. */
function countedIds(): NewId {
  let last = 0;
  return (prefix) => `${prefix}_${String(++last).padStart(26, '0')}` as never;
}

/** A whole small service without its doors: store, clock, policies, and short words for what people do. */
export function world({
  policies = policySet(),
  store: kept = memoryStore(),
  clock = fakeClock(T0),
}: { policies?: PolicySet; store?: Store; clock?: ReturnType<typeof fakeClock> } = {}) {
  const alarms: unknown[] = [];
  const alarm = (cause: unknown) => void alarms.push(cause);
  const { store, feed } = publishing(kept, alarm);
  const source = { current: policies };
  const disk = { level: 'all' as ReturnType<Room['level']> };
  const needed: Dependencies = {
    store,
    clock,
    policies: source,
    newId: countedIds(),
    sha256,
    room: { level: () => disk.level, ending: (work) => work() },
  };
  const events = new Events({ store, clock, feed, alarm });
  const dropped = { drafts: 0 };
  const drafts = createDrafts({ ...needed, alarm, onDropped: () => dropped.drafts++ });
  feed.listen((entries) => drafts.hear(entries));
  const as = (who: string | Actor) => (typeof who === 'string' ? actorFor(who) : who);
  const ask = (who: string | Actor, wish: Partial<Wish> = {}) =>
    submitRequest(needed, as(who), { resource: ordersDb, ...wish }, null);
  const review = (who: string | Actor, id: RequestId, verdict: 'approve' | 'deny' = 'approve') => {
    const { digest } = store.read((snapshot) => snapshot.request(id)!);
    return giveReview(needed, as(who), { requestId: id, verdict, digest }, null);
  };
  return {
    needed,
    store,
    alarms,
    feed,
    /** Looks at the time only when a test calls `tick`. */
    events,
    clock,
    disk,
    drafts,
    /** Refusals that have left no draft for want of room. */
    dropped,
    ask,
    review,
    /** alice asks, bob approves. */
    grant: async (wish: Partial<Wish> = {}): Promise<Grant> => {
      const { id } = await ask('alice', wish);
      return (await review('bob', id)).grant!;
    },
    /** Replaces the policy folder. */
    load: (next: PolicySet) => {
      source.current = next;
    },
    entries: () => store.read((snapshot) => snapshot.entries(1, 1_000)),
  };
}
