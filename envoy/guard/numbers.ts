import { BYTES, Reader, VARINT } from './protobuf-reader';

/** Numbers of sessions out of a message. It keeps its room. */
@final
export class Numbers {
  count: u32 = 0;
  private room: u32 = 64;
  private at: usize = heap.alloc(64 * 4);
  private packed: Reader = new Reader();

  clear(): void {
    this.count = 0;
  }

  get(index: u32): u32 {
    return load<u32>(this.at + ((<usize>index) << 2));
  }

  /** Adds what a repeated number's field holds: one, or several packed together. False: it is no such field. */
  read(field: Reader): bool {
    if (field.wire == VARINT) return this.add(field.value);
    if (field.wire != BYTES) return false;
    this.packed.open(field.start, field.length);
    while (this.packed.nextPacked()) if (!this.add(this.packed.value)) return false;
    return !this.packed.failed;
  }

  private add(value: u64): bool {
    if (value > u32.MAX_VALUE) return false;
    if (this.count == this.room) this.grow();
    store<u32>(this.at + ((<usize>this.count) << 2), <u32>value);
    this.count++;
    return true;
  }

  private grow(): void {
    const larger = heap.alloc((<usize>this.room * 2) << 2);
    memory.copy(larger, this.at, (<usize>this.room) << 2);
    heap.free(this.at);
    this.at = larger;
    this.room *= 2;
  }
}
