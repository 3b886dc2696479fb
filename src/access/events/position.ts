import type { Instant } from '../../domain/time.js';

/** How far somebody has heard: all changes up to a number, and whatever the time has brought up to an instant. */
export interface Position {
  readonly sequence: number;
  readonly until: Instant;
}

/** As in `4711-1767225600000`; for those who hear it opaque. */
export function printPosition({ sequence, until }: Position): string {
  return `${sequence}-${until}`;
}

/** Null for what is no position. Whether there was ever such a one is another question. */
export function parsePosition(text: string): Position | null {
  const [, sequence, until] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  return sequence === undefined ? null : { sequence: Number(sequence), until: Number(until) as Instant };
}
