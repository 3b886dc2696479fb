import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import { grantStateOf, type Grant, type GrantState } from '../domain/grant.js';
import type { GrantId } from '../domain/ids.js';
import type { PersonId, PolicyName, ResourceName } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { Cursor, Page } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { PageWish } from './list-page.js';
import { isOwn, maySeeGrant, ownPerson } from './rights.js';

/** A grant with what follows from the clock. */
export interface GrantStanding {
  readonly grant: Grant;
  readonly state: GrantState;
}

/** What a listing is narrowed to; everything that is given must hold. */
export interface GrantFilter {
  readonly state?: GrantState['state'] | undefined;
  readonly mine?: boolean | undefined;
  readonly resource?: ResourceName | undefined;
  readonly policy?: PolicyName | undefined;
  readonly subject?: Subject | undefined;
  readonly person?: PersonId | undefined;
  /** Born at this instant or later. */
  readonly since?: Instant | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'>;

/** The grants that the actor may see, newest first. */
export function listGrants(
  { store, clock, policies }: Needed,
  actor: Actor,
  filter: GrantFilter,
  { limit, after }: PageWish,
): Page<GrantStanding> {
  const now = clock.read().wall;
  const set = policies.current;
  const own = ownPerson(actor, set);
  const living = filter.state !== undefined && filter.state !== 'ended';
  const { items, next } = store.read((snapshot) =>
    snapshot.grants({
      limit,
      after: after as Cursor | undefined,
      // Narrows what is looked at; whether something is the actor's own is judged once more by `keep`.
      ...(filter.mine && own !== undefined && { person: own }),
      ...(living && { unexpiredAt: now }),
      keep: (grant) =>
        maySeeGrant(actor, grant, set) && matches(grant, filter, now) && (!filter.mine || isOwn(actor, grant, set)),
    }),
  );
  return { items: items.map((grant) => grantStanding(grant, now)), next };
}

/**
 * One grant.
 *
 * @throws {AccessError} `not_found`, also for what the actor may not see
 */
export function findGrant({ store, clock, policies }: Needed, actor: Actor, id: GrantId): GrantStanding {
  const grant = store.read((snapshot) => snapshot.grant(id));
  if (grant && maySeeGrant(actor, grant, policies.current)) return grantStanding(grant, clock.read().wall);
  throw new AccessError('not_found', `no grant ${JSON.stringify(id)}`);
}

/** How a grant stands at an instant. */
export function grantStanding(grant: Grant, now: Instant): GrantStanding {
  return { grant, state: grantStateOf(grant, now) };
}

function matches(
  grant: Grant,
  { state, resource, policy, subject, person, since }: GrantFilter,
  now: Instant,
): boolean {
  return (
    (state === undefined || grantStateOf(grant, now).state === state) &&
    (resource === undefined || grant.resource === resource) &&
    (policy === undefined || grant.policy === policy) &&
    (subject === undefined || grant.subject === subject) &&
    (person === undefined || grant.person === person) &&
    (since === undefined || grant.createdAt >= since)
  );
}
