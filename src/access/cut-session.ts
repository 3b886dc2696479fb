import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { SessionId } from '../domain/ids.js';
import { plainText } from '../domain/text.js';
import type { Dependencies } from './dependencies.js';
import { findSession } from './list-sessions.js';
import type { LiveSessions, SessionStanding } from './live-sessions.js';
import { once, type Idempotency } from './once.js';
import { is, isOwn } from './rights.js';

/**
 * Ends one session and no grant: whoever holds that may connect again. For its own person, and operators. Writes down who
 * wants it; the guards hear of that as soon as it is on disk. Of a session that has ended nothing changes.
 *
 * @throws {AccessError} `not_found`, `not_permitted`
 */
export async function cutSession(
  needed: Pick<Dependencies, 'store' | 'clock' | 'policies' | 'room'> & { readonly sessions: LiveSessions },
  actor: Actor,
  { id, why }: { readonly id: SessionId; readonly why?: string | undefined },
  idempotency: Idempotency | null,
): Promise<SessionStanding> {
  const { store, clock, policies, room } = needed;
  const { session, end } = findSession(needed, actor, id);
  if (!isOwn(actor, session, policies.current) && !is(actor, 'operator', policies.current))
    throw new AccessError('not_permitted', `cutting ${id} is for ${session.person} and for the role operator`);
  if (end === null) {
    const text = plainText('reason', why ?? '');
    const now = clock.read().wall;
    await room.ending(() =>
      store.change(now, (change) =>
        once(change, actor, idempotency, now, () => {
          change.record(actor, { action: 'session.cut', session, why: text });
          return null;
        }),
      ),
    );
  }
  return findSession(needed, actor, id);
}
