import { AccessError } from '../domain/errors.js';
import { after, days, type Duration, type Instant } from '../domain/time.js';

/** Somebody has made as many things of a kind as may be made within a day. */
export class QuotaError extends AccessError {
  /** How long until the next may be made. */
  readonly wait: Duration;

  constructor(message: string, wait: Duration) {
    super('quota_used_up', message);
    this.wait = wait;
  }
}

/** What may be made, and how often. */
export interface Quota {
  /** As in `no more than 50 tokens`. */
  readonly what: string;
  /** Within any 24 hours. Everything that is made stays on disk for good, whatever becomes of it. */
  readonly perDay: number;
}

/** Of one person. Each costs some 20 KiB of disk at most, with what becomes of it: that is 4 MiB a day. */
export const REQUEST_QUOTA: Quota = { what: 'requests', perDay: 200 };

/**
 * By whom they were made, not by whom they are for: an admin could go on for ever with new names. Personal tokens live for
 * a day at most, so this also bounds how many of them are usable.
 */
export const TOKEN_QUOTA: Quota = { what: 'tokens', perDay: 50 };

const DAY = days(1);

/**
 * Refuses one more where there have been enough within a day. `made` are the times of the last `perDay` of them, newest
 * first.
 *
 * @throws {QuotaError} `quota_used_up`
 */
export function assertWithin({ what, perDay }: Quota, by: string, made: readonly Instant[], now: Instant): void {
  const first = made[perDay - 1];
  if (first === undefined) return;
  const again = after(first, DAY);
  if (again <= now) return;
  throw new QuotaError(
    `${by} has made ${perDay} ${what} within a day; try again at ${new Date(again).toISOString()}`,
    (again - now) as Duration,
  );
}
