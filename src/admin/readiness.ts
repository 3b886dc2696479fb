import type { Api } from './api.js';
import type { CHECKS } from './schemas/operations.js';

type Check = (typeof CHECKS)[number];

/**
 * Whether the service can decide, check by check. Each looks at the thing itself; what it finds wrong is for the log and
 * not for whoever asks.
 */
export function readiness({
  needed: { store, clock, policies, room },
  serving,
  policiesSettled,
}: Pick<Api, 'needed' | 'serving' | 'policiesSettled'>) {
  return {
    serving: serving() === null,
    // The set of locks is checked against its header whenever it is read.
    store: succeeds(() => store.read((snapshot) => snapshot.locks())),
    clock: clock.read().trusted,
    policies: policies.current.digest !== '' && policiesSettled(),
    disk: room.level() !== 'nothing',
  } satisfies Record<Check, boolean>;
}

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
