import type { Clock } from '../domain/time.js';
import type { Limits } from './limits.js';

/** Counts calls by key. */
export interface RateLimit {
  /** Takes one call of `key`: 0 when it may go on, else the whole seconds after which it may come back. */
  take(key: string): number;
}

/** More actors than any installation has; each costs about 100 bytes. */
const MAX_BUCKETS = 10_000;

/** A token bucket for each key, in memory, on the clock that never steps. */
export function createRateLimit(clock: Clock, { burst, perSecond }: Pick<Limits, 'burst' | 'perSecond'>): RateLimit {
  const buckets = new Map<string, { level: number; at: number }>();
  const levelOf = (bucket: { level: number; at: number }, mono: number) =>
    Math.min(burst, bucket.level + ((mono - bucket.at) / 1_000) * perSecond);

  return {
    take(key) {
      const { mono } = clock.read();
      if (buckets.size >= MAX_BUCKETS) {
        // A full bucket is as good as none.
        for (const [other, bucket] of buckets) if (levelOf(bucket, mono) >= burst) buckets.delete(other);
      }
      const level = levelOf(buckets.get(key) ?? { level: burst, at: mono }, mono);
      const missing = 1 - level;
      buckets.set(key, { level: missing > 0 ? level : level - 1, at: mono });
      return missing > 0 ? Math.ceil(missing / perSecond) : 0;
    },
  };
}
