import { logWarning } from './host';
import { CONTACT_LOST, EXPIRED, NO_END, OVERLOADED, STALE } from './session';

// Since this VM was born.
const refused = new StaticArray<u64>(OVERLOADED + 1);
export let malformed: u64 = 0;

const LOG_EVERY_MS: i64 = 60_000;
let loggedAt: i64 = -LOG_EVERY_MS;
let loggedRefused: u64 = 0;
let loggedMalformed: u64 = 0;

export function countRefused(reason: u8): void {
  unchecked(refused[reason]++);
}

export function countMalformed(): void {
  malformed++;
}

export function refusedFor(reason: u8): u64 {
  return unchecked(refused[reason]);
}

/** Says once a minute what has gone wrong since it was last said, and nothing when nothing has. */
export function logCounts(now: i64): void {
  if (now - loggedAt < LOG_EVERY_MS) return;
  const misplaced = refusedFor(NO_END);
  const total = misplaced + refusedFor(EXPIRED) + refusedFor(STALE) + refusedFor(CONTACT_LOST) + refusedFor(OVERLOADED);
  if (total == loggedRefused && malformed == loggedMalformed) return;
  loggedAt = now;
  loggedRefused = total;
  loggedMalformed = malformed;
  logWarning(
    `portcullis guard: turned away since its start: ${misplaced} without a valid answer of ext_authz, ` +
      `${refusedFor(EXPIRED)} expired, ${refusedFor(STALE)} stale, ${refusedFor(CONTACT_LOST)} without contact, ` +
      `${refusedFor(OVERLOADED)} overloaded; ${malformed} malformed messages`,
  );
}
