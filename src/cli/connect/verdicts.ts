import type { ExplanationAnswer } from '../api/answers.js';
import type { Time } from '../shell.js';
import type { Standing } from './access.js';
import { oneAtATime } from './one-at-a-time.js';

/** Asks the service what it says now; null when it cannot be asked. */
export type Verdicts = () => Promise<ExplanationAnswer | null>;

/** Milliseconds: Envoy ends a session by its own clock, which may be that much ahead of the service's. */
const EARLY_MS = 2_000;

/** Of sessions that end together each gets an answer from after its own end. */
export function createVerdicts({ explain }: Standing, time: Time): Verdicts {
  async function ask(): Promise<ExplanationAnswer | null> {
    const first = await explain().catch(() => null);
    const left = first?.endsAt ? Date.parse(first.endsAt) - time.wall() : Infinity;
    if (left > EARLY_MS) return first;
    await time.sleep(Math.max(left, 0) + 100);
    return explain().catch(() => first);
  }

  return oneAtATime(ask);
}
