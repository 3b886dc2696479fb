import type { Dependencies } from '../access/dependencies.js';
import type { Feed } from '../access/feed.js';
import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import type { Commands } from './commands.js';
import type { Guards } from './guards.js';
import type { Journal } from './journal.js';
import type { GuardSettings } from './limits.js';
import type { GuardLog, GuardObserver } from './observe.js';
import type { SessionTable } from './session-table.js';

/** What the guards' side of the service is given. */
export interface GuardNeeds extends Pick<Dependencies, 'store' | 'clock' | 'policies' | 'room'> {
  readonly feed: Feed;
  readonly settings: GuardSettings;
  readonly observe: GuardObserver;
  readonly log: GuardLog;
  readonly alarm: (cause: unknown) => void;
  /** When the certificate ends that a decision let in; undefined when that is not remembered. */
  readonly certificateUntil: (decision: DecisionId) => Instant | undefined;
}

/** What its parts share. */
export interface Shared extends GuardNeeds {
  readonly guards: Guards;
  readonly table: SessionTable;
  readonly commands: Commands;
  readonly journal: Journal;
}
