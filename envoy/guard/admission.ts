import { Answer } from './answer';
import { mayKnowMore } from './contact';
import { isStale } from './grant';
import { setFilterState } from './host';
import { endOf } from './service-clock';
import { EXPIRED, HTTP, Session, STALE } from './session';
import { admit, fresh, settled } from './sessions';
import { learnUpstream, tellOpened } from './tell';
import { Text } from './text';

const GRANT_STATE = new Text('portcullis.grant_id');
const DECISION_STATE = new Text('portcullis.decision_id');

/** Why a valid answer lets nobody in any more; 0: it does. */
export function isOutdated(answer: Answer, now: i64): u8 {
  if (isStale(answer.grant, answer.grantLength, answer.asOf, now)) return STALE;
  return endOf(now, answer.remaining, answer.wallEnd) <= now ? EXPIRED : 0;
}

/** Lets a session in that has a valid answer, and tells the service when it is to know at once. */
export function letIn(session: Session, answer: Answer, now: i64): void {
  setFilterState(GRANT_STATE, answer.grant, answer.grantLength);
  setFilterState(DECISION_STATE, answer.decision, answer.decisionLength);
  admit(session, answer, endOf(now, answer.remaining, answer.wallEnd));
  fresh.add(session);
  if (session.protocol != HTTP || mayKnowMore(session.asOf)) tellOpened(session);
}

/** So old a plain HTTP stream is a session that people hear of. */
const SETTLED_MS: i64 = 1_000;

/** Tells the service of those that have lived for a while. */
export function settle(now: i64): void {
  for (let session = fresh.first; session && now - session.started >= SETTLED_MS; session = fresh.first) {
    fresh.remove(session);
    settled.add(session);
    if (!session.told || learnUpstream(session)) tellOpened(session);
  }
}
