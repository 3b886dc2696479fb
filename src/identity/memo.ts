import { LRUCache } from 'lru-cache';

interface Outcome {
  /** A refusal must not push out what was found. */
  readonly refused: boolean;
  /** False for what may turn out differently the next time. */
  readonly lasting: boolean;
}

/** Longer keys are not kept: the engine hashes such strings by their length alone, so they could be made to collide. */
const MAX_KEY = 16_383;

/**
 * Remembers what `look` found for the keys used last: at most `capacity` findings and as many refusals, the two kinds
 * apart, since keys come from outside and whoever sends many bad ones must not slow down the good.
 */
export function remembering<T extends Outcome>(capacity: number, look: (key: string) => T): (key: string) => T {
  const found = new LRUCache<string, T>({ max: capacity });
  const refused = new LRUCache<string, T>({ max: capacity });
  return (key) => {
    const known = found.get(key) ?? refused.get(key);
    if (known) return known;
    const outcome = look(key);
    if (outcome.lasting && key.length <= MAX_KEY) (outcome.refused ? refused : found).set(key, outcome);
    return outcome;
  };
}
