import { randomBytes } from './host';

const seed = heap.alloc(16);
let state: u32 = 0;

/** Random, 32 hexadecimal digits. */
export function randomId(): string {
  memory.fill(seed, 0, 16);
  randomBytes(seed, 16);
  let id = '';
  for (let i = 0; i < 16; i++)
    id += load<u8>(seed + i)
      .toString(16)
      .padStart(2, '0');
  return id;
}

/** Below `bound`. For spreading things out, not for secrets. */
export function randomBelow(bound: u32): u32 {
  if (state == 0) {
    randomBytes(seed, 4);
    state = load<u32>(seed) | 1;
  }
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % bound;
}
