/** Writes a message into room that it keeps and enlarges. Fields that hold zero or nothing are left out. */
@final
export class Writer {
  at: usize = heap.alloc(1024);
  length: u32 = 0;
  private room: u32 = 1024;

  clear(): void {
    this.length = 0;
  }

  number(field: u32, value: u64): void {
    if (value == 0) return;
    this.varint(field << 3);
    this.varint(value);
  }

  bytes(field: u32, at: usize, length: u32): void {
    if (length == 0) return;
    this.varint((field << 3) | 2);
    this.varint(length);
    this.need(length);
    memory.copy(this.at + this.length, at, length);
    this.length += length;
  }

  /** Begins a message within the message. `end` takes what this returns. */
  begin(field: u32): u32 {
    this.varint((field << 3) | 2);
    return this.length;
  }

  /** Ends it: its length, now known, is put before it. */
  end(start: u32): void {
    const length = this.length - start;
    let bytes: u32 = 1;
    for (let rest = length >> 7; rest != 0; rest >>= 7) bytes++;
    // As much as writing the length asks for: it must not move what is already written.
    this.need(10);
    memory.copy(this.at + start + bytes, this.at + start, length);
    this.length = start;
    this.varint(length);
    this.length += length;
  }

  private varint(value: u64): void {
    this.need(10);
    while (value >= 0x80) {
      store<u8>(this.at + this.length++, <u8>(value | 0x80));
      value >>= 7;
    }
    store<u8>(this.at + this.length++, <u8>value);
  }

  private need(more: u32): void {
    if (this.length + more <= this.room) return;
    while (this.length + more > this.room) this.room *= 2;
    const larger = heap.alloc(this.room);
    memory.copy(larger, this.at, this.length);
    heap.free(this.at);
    this.at = larger;
  }
}
