import type { LiveSessions, Outstanding, SessionStanding } from '../../src/access/live-sessions.js';
import type { DecisionId, SessionId } from '../../src/domain/ids.js';
import type { GuardId, Session } from '../../src/domain/session.js';
import { hours, type Instant } from '../../src/domain/time.js';
import { alice, at, grant, ordersDb, person, prodData } from '../builders.js';

export const guardId = (n = 1) => String(n).padStart(32, '0') as GuardId;
export const sessionId = (n = 1) => `ses_${String(n).padStart(26, '0')}` as SessionId;

export const session = (n = 1, over: Partial<Session> = {}): Session => ({
  id: sessionId(n),
  grantId: grant().id,
  decisionId: `dec_${String(n).padStart(26, '0')}` as DecisionId,
  policy: prodData,
  subject: alice,
  person: person('alice'),
  resource: ordersDb,
  protocol: 'gate',
  downstream: '192.0.2.7:4711',
  startedAt: at(0),
  guard: guardId(),
  node: 'envoy-1',
  ...over,
});

export const sessionStanding = (n = 1, over: Partial<SessionStanding> = {}): SessionStanding => ({
  session: session(n),
  grantId: grant().id,
  endsAt: at(hours(1)),
  upstream: '10.0.0.7:5432',
  bytesReceived: 1_234,
  bytesSent: 5_678_901,
  end: null,
  cutBy: null,
  ...over,
});

/** Sessions as a test wants them, for doors that show them: guards play no part. */
export class PlayedSessions implements LiveSessions {
  readonly standings: SessionStanding[] = [];
  outstanding: readonly Outstanding[] = [];
  /** How long each wait was to be. */
  readonly waits: number[] = [];

  all(): Iterable<SessionStanding> {
    return this.standings;
  }

  find(id: SessionId): SessionStanding | undefined {
    return this.standings.find(({ session }) => session.id === id);
  }

  async settle(withinMs: number): Promise<readonly Outstanding[]> {
    this.waits.push(withinMs);
    return this.outstanding;
  }

  /** A guard that has applied nothing. */
  isLate(endsAt: Instant = at(15_000)): void {
    this.outstanding = [{ guard: guardId(), node: 'envoy-1', endsAt }];
  }
}
