// Where Envoy puts what it hands over. Only one thing lies here at a time: it is read, copied or kept before the next call of
// Envoy.

const ROOM: u32 = 16 << 10;

/** More than this is refused: an allocation that fails would be a trap. */
const MOST: u32 = 16 << 20;

let room = heap.alloc(ROOM);
let size: u32 = ROOM;

/** Room for what Envoy hands over next; 0 when it is too much. */
export function roomFor(length: u32): usize {
  if (length > MOST) return 0;
  if (length > size) {
    heap.free(room);
    room = heap.alloc(length);
    size = length;
  }
  return room;
}

let kept = heap.alloc(ROOM);
let keptSize: u32 = ROOM;

/** Copies something to where other calls of Envoy do not touch it: one thing at a time. */
export function keep(at: usize, length: u32): usize {
  if (length > keptSize) {
    heap.free(kept);
    kept = heap.alloc(length);
    keptSize = length;
  }
  memory.copy(kept, at, length);
  return kept;
}

/** What was kept is done with. Room for large things is given back. */
export function freeKept(): void {
  if (keptSize > ROOM) {
    heap.free(kept);
    kept = heap.alloc(ROOM);
    keptSize = ROOM;
  }
  if (size > ROOM) {
    heap.free(room);
    room = heap.alloc(ROOM);
    size = ROOM;
  }
}
