import type { Instant } from '../domain/time.js';

/** Midnight UTC of a day as in `2026-01-31`; null for what is none. */
export function parseDay(text: string): Instant | null {
  const at = Date.parse(`${text}T00:00:00Z`);
  // Written back, because a day beyond the end of its month would be one of the next.
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && printDay(at) === text ? (at as Instant) : null;
}

/** The day of an instant, in UTC. */
export function printDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
