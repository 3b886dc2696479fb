import type { NewId } from '../domain/ids.js';
import type { PolicySet } from '../domain/policy.js';
import type { Sha256 } from '../domain/request.js';
import type { Clock } from '../domain/time.js';
import type { Store } from '../store/store.js';

/** What use cases draw on; each takes the few it uses. */
export interface Dependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly policies: PolicySource;
  readonly newId: NewId;
  readonly sha256: Sha256;
  readonly room: Room;
}

/** The policy set in force; another one after a reload. */
export interface PolicySource {
  readonly current: PolicySet;
}

/**
 * How full the disk is, seen by what may still be written. Checks go on until `nothing`, from `endings_only` on a deny is
 * not recorded any more; ending access is possible longest, so that a full disk never keeps anybody in.
 */
export interface Room {
  level(): 'all' | 'no_requests' | 'endings_only' | 'nothing';

  /** Runs what ends access. Where the disk is full it gets room that was kept back for it, and is then run once more. */
  ending<T>(work: () => Promise<T>): Promise<T>;
}
