import {
  decision as decisionShape,
  page,
  session as sessionShape,
  type DecisionAnswer,
  type SessionAnswer,
} from '../api/answers.js';
import type { Client } from '../api/client.js';
import type { Time } from '../shell.js';
import { oneAtATime } from './one-at-a-time.js';

/** What the service knows of one connection: the session that it carried, and how its check was answered. */
export interface Evidence {
  readonly session: SessionAnswer | null;
  readonly decision: DecisionAnswer | null;
}

/** Looks for a connection of one's own by the address that it came from. */
export type FindEvidence = (source: string) => Promise<Evidence>;

type Kept = { readonly sessions: readonly SessionAnswer[]; readonly decisions: readonly DecisionAnswer[] };

const NOTHING: Kept = { sessions: [], decisions: [] };

/** A guard tells of an end a moment after the client has seen it, and decisions are written in groups. */
const LOOKS = { pause: 250, most: 6 };

/**
 * Asks for what is known of connections to a resource. Those that end together are looked for in one answer. Behind an
 * address translation the service knows a connection by another address, and nothing is found.
 */
export function createEvidence(client: Pick<Client, 'get'>, resource: string, time: Pick<Time, 'sleep'>): FindEvidence {
  const query = { mine: 'true', resource, limit: '200' };
  const look = oneAtATime(async (): Promise<Kept> => {
    const [sessions, decisions] = await Promise.all([
      client.get({ path: ['v1', 'sessions'], query, shape: page(sessionShape) }),
      client.get({ path: ['v1', 'decisions'], query, shape: page(decisionShape) }),
    ]);
    return { sessions: sessions.items, decisions: decisions.items };
  });
  return async (source) => {
    for (let looks = 1; ; looks++) {
      const { sessions, decisions } = await look().catch(() => NOTHING);
      const session = sessions.find(({ downstream }) => downstream === source) ?? null;
      const decision = decisions.find((one) => one.source === source) ?? null;
      const isKnown = session === null ? decision?.effect === 'deny' : session.end !== null;
      if (isKnown || looks === LOOKS.most) return { session, decision };
      await time.sleep(LOOKS.pause);
    }
  };
}
