import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import { base32, type NewId } from '../domain/ids.js';

const SIZE = 16;

/** Randomness for so many ids is fetched at once: a call into the kernel's generator costs more than the rest of an id. */
const POOL = 256;

const pool = new Uint8Array(POOL * SIZE);
let used = pool.length;

export const newId: NewId = (prefix, at) =>
  `${prefix}_${base32(v7({ msecs: at, random: freshRandom() }, new Uint8Array(SIZE)))}` as never;

/** Sixteen random bytes that nobody else gets. */
function freshRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += SIZE;
  return pool.subarray(used - SIZE, used);
}
