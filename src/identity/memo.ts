import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

interface Outcome {
  /** A refusal must not push out what was found. */
  readonly refused: boolean;
  /** False for what may turn out differently the next time. */
  readonly lasting: boolean;
}

/** Longer keys are not kept: the engine hashes such strings by their length alone, so they could be made to collide. */
const MAX_KEY = 16_383;

/** Characters of keys for each finding, on the average; Envoy sends 650 to 2,500 for a certificate. */
const USUAL_KEY = 4_096;

/** Whoever is refused again and again has a few certificates; whoever has many gains nothing from being remembered. */
const MAX_REFUSALS = 1_000;

/**
 * Remembers what `look` found for the keys used last: at most `capacity` findings, with keys of 4 KiB on the average, and a
 * thousand refusals. The two are kept apart, since keys come from outside and whoever sends many bad ones must neither
 * slow down the good nor fill the memory: a refusal is kept under the hash of its key, which is as long as the sender likes.
 */
export function remembering<T extends Outcome>(capacity: number, look: (key: string) => T): (key: string) => T {
  const found = new LRUCache<string, T>({
    max: capacity,
    maxSize: Math.max(capacity * USUAL_KEY, MAX_KEY),
    sizeCalculation: (_outcome, key) => Math.max(1, key.length),
  });
  const refused = new LRUCache<string, T>({ max: Math.min(capacity, MAX_REFUSALS) });
  return (key) => {
    const known = found.get(key);
    if (known) return known;
    const digest = hash('sha256', key, 'hex');
    const refusal = refused.get(digest);
    if (refusal) return refusal;
    const outcome = look(key);
    if (!outcome.lasting) return outcome;
    if (outcome.refused) refused.set(digest, outcome);
    else if (key.length <= MAX_KEY) found.set(key, outcome);
    return outcome;
  };
}
