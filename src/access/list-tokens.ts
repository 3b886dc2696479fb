import { printActor, type Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { TokenId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import { isUsable, type Token } from '../domain/token.js';
import type { Cursor, Page } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import type { PageWish } from './list-page.js';
import { is } from './rights.js';
import { ownsToken } from './token.js';

/** A token with what follows from the clock. Its hash is nobody's business and never leaves the service. */
export interface TokenStanding {
  readonly token: Omit<Token, 'hash'>;
  readonly state: 'usable' | 'expired' | 'revoked';
}

/** What a listing is narrowed to; everything that is given must hold. */
export interface TokenFilter {
  readonly state?: TokenStanding['state'] | undefined;
  readonly mine?: boolean | undefined;
}

type Needed = Pick<Dependencies, 'store' | 'clock' | 'policies'>;

/** The actor's own tokens, newest first; for admins and the host all. */
export function listTokens(
  { store, clock, policies }: Needed,
  actor: Actor,
  { state, mine }: TokenFilter,
  { limit, after }: PageWish,
): Page<TokenStanding> {
  const now = clock.read().wall;
  const all = !mine && is(actor, 'admin', policies.current);
  const { items, next } = store.read((snapshot) =>
    snapshot.tokens({
      limit,
      after: after as Cursor | undefined,
      // Nobody makes a personal token for somebody else. Whether it is the actor's own is judged once more by `keep`.
      ...(!all && { maker: printActor(actor) }),
      keep: (token) =>
        (all || ownsToken(actor, token)) && (state === undefined || tokenStanding(token, now).state === state),
    }),
  );
  return { items: items.map((token) => tokenStanding(token, now)), next };
}

/**
 * One token.
 *
 * @throws {AccessError} `not_found`, also for what the actor may not see
 */
export function findToken({ store, clock, policies }: Needed, actor: Actor, id: TokenId): TokenStanding {
  const token = store.read((snapshot) => snapshot.token(id));
  if (token && (ownsToken(actor, token) || is(actor, 'admin', policies.current)))
    return tokenStanding(token, clock.read().wall);
  throw new AccessError('not_found', `no token ${JSON.stringify(id)}`);
}

/** How a token stands at an instant. */
export function tokenStanding(token: Token, now: Instant): TokenStanding {
  const { hash: _hash, ...shown } = token;
  if (token.revokedAt !== null) return { token: shown, state: 'revoked' };
  return { token: shown, state: isUsable(token, now) ? 'usable' : 'expired' };
}
