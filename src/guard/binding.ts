import { earliest, type Instant } from '../domain/time.js';
import type { Grant } from '../domain/grant.js';
import type { Cause } from './commands.js';
import type { LiveSession } from './session-table.js';
import type { Shared } from './shared.js';

/**
 * When a session would end under this grant: not after its certificate, and where that is not known, not later than it would
 * have ended anyway.
 */
export function endUnder(grant: Grant, { certificateUntil, endsAt }: LiveSession): Instant {
  return earliest(grant.expiresAt, certificateUntil ?? endsAt);
}

/** Lets sessions go on under another grant. */
export function rebind(shared: Shared, sessions: readonly LiveSession[], grant: Grant, cause: Cause): void {
  const living = sessions.filter(({ mark }) => mark === null);
  for (const session of living) {
    session.endsAt = endUnder(grant, session);
    shared.table.move(session, grant);
  }
  shared.commands.rebind(living, grant, cause);
  cutSurplus(shared, grant, cause);
}

/** Cuts the newest sessions under a grant where there are more than its policy allows at a time. */
export function cutSurplus({ table, policies, commands, clock }: Shared, grant: Grant, { sequence }: Cause): void {
  const max = policies.current.policies.get(grant.policy)?.sessions.max ?? null;
  if (max === null) return;
  const counted = [...table.under(grant.id)].filter(({ mark }) => mark === null);
  const since = clock.read().mono;
  for (const session of counted.slice(max))
    commands.cutSession(session, { reason: 'too_many_sessions', since }, { sequence, since: null });
}
