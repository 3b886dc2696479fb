import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { GrantId, SessionId } from '../domain/ids.js';
import type { PersonId, ResourceName } from '../domain/names.js';
import type { SessionProtocol } from '../domain/session.js';
import type { Subject } from '../domain/subject.js';
import type { Dependencies } from './dependencies.js';
import { pageOfList, type ListedPage, type PageWish } from './list-page.js';
import type { LiveSessions, SessionStanding } from './live-sessions.js';
import { isOwn, readsEverything } from './rights.js';

/** What a listing is narrowed to; everything that is given must hold. */
export interface SessionFilter {
  readonly state?: 'live' | 'ended' | undefined;
  readonly mine?: boolean | undefined;
  readonly grant?: GrantId | undefined;
  readonly resource?: ResourceName | undefined;
  readonly subject?: Subject | undefined;
  readonly person?: PersonId | undefined;
  readonly protocol?: SessionProtocol | undefined;
}

type Needed = Pick<Dependencies, 'policies'> & { readonly sessions: LiveSessions };

/** The sessions that the actor may see, newest first: their own; auditor, operator and host all. */
export function listSessions(
  { policies, sessions }: Needed,
  actor: Actor,
  filter: SessionFilter,
  page: PageWish,
): ListedPage<SessionStanding> {
  const set = policies.current;
  const everything = readsEverything(actor, set) && !filter.mine;
  const isShown = (standing: SessionStanding) =>
    matches(standing, filter) && (everything || isOwn(actor, standing.session, set));
  return newestOf(sessions.all(), page, isShown);
}

/** One page, found in one pass: there may be very many, and few are wanted. */
function newestOf(
  all: Iterable<SessionStanding>,
  page: PageWish,
  isShown: (standing: SessionStanding) => boolean,
): ListedPage<SessionStanding> {
  const room = 4 * page.limit;
  let newest: SessionStanding[] = [];
  for (const standing of all) {
    const isBehind = page.after === undefined || standing.session.id < page.after;
    if (!isBehind || !isShown(standing)) continue;
    newest.push(standing);
    // One more than a page, so that it shows whether there is a next one.
    if (newest.length === room + 4) newest = newest.sort(newestFirst).slice(0, page.limit + 1);
  }
  return pageOfList(newest, page, ({ session }) => session.id, 'descending');
}

function newestFirst(a: SessionStanding, b: SessionStanding): number {
  return a.session.id < b.session.id ? 1 : -1;
}

/**
 * One session, live or ended lately.
 *
 * @throws {AccessError} `not_found`, also for what the actor may not see
 */
export function findSession({ policies, sessions }: Needed, actor: Actor, id: SessionId): SessionStanding {
  const standing = sessions.find(id);
  const set = policies.current;
  if (standing && (isOwn(actor, standing.session, set) || readsEverything(actor, set))) return standing;
  throw new AccessError('not_found', `no session ${JSON.stringify(id)}, or it ended some time ago`);
}

function matches(
  { session, grantId, end }: SessionStanding,
  { state, grant, resource, subject, person, protocol }: SessionFilter,
): boolean {
  return (
    (state === undefined || (state === 'live') === (end === null)) &&
    (grant === undefined || grantId === grant || session.grantId === grant) &&
    (resource === undefined || session.resource === resource) &&
    (subject === undefined || session.subject === subject) &&
    (person === undefined || session.person === person) &&
    (protocol === undefined || session.protocol === protocol)
  );
}
