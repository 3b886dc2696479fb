/** Bytes that never change: a name, a path of names, a message. They lie outside the garbage collector's reach. */
@final
export class Text {
  at: usize;
  length: u32;

  constructor(text: string) {
    const length = String.UTF8.byteLength(text);
    this.at = heap.alloc(length);
    this.length = <u32>length;
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.at);
  }
}

/** A property's path, as Envoy wants it: the steps with a zero byte between. */
export function path(...steps: string[]): Text {
  return new Text(steps.join('\0'));
}

/** Whether two runs of bytes are the same. */
export function same(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  return aLength == bLength && memory.compare(a, b, aLength) == 0;
}

/** FNV-1a. Whoever chooses the bytes can make collisions: they are ids that the service has made. */
export function hashOf(at: usize, length: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < length; i++) hash = (hash ^ load<u8>(at + i)) * 0x01000193;
  return hash;
}
