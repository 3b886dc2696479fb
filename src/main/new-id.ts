import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import { base32, type NewId } from '../domain/ids.js';

const SIZE = 16;

/** Randomness for so many ids is fetched at once: a call into the kernel's generator costs more than the rest of an id. */
const POOL = 256;

const pool = new Uint8Array(POOL * SIZE);
const parts = Array.from({ length: POOL }, (_, n) => pool.subarray(n * SIZE, (n + 1) * SIZE));
let used = POOL;

/** The bytes of the id that is being made. */
const bytes = new Uint8Array(SIZE);

export const newId: NewId = (prefix, at) =>
  `${prefix}_${base32(v7({ msecs: at, random: freshRandom() }, bytes))}` as never;

/** Sixteen random bytes that nobody else gets. */
function freshRandom(): Uint8Array {
  if (used === POOL) {
    randomFillSync(pool);
    used = 0;
  }
  return parts[used++]!;
}
