export const VARINT: u32 = 0;
export const FIXED64: u32 = 1;
export const BYTES: u32 = 2;
export const FIXED32: u32 = 5;

/**
 * Reads a message field by field. The bytes come from outside: nothing is read past their end, and what is not protobuf
 * makes `failed` true and ends the reading.
 */
@final
export class Reader {
  failed: bool = false;
  /** Of the field that was read last. */
  field: u32 = 0;
  wire: u32 = 0;
  /** Of a varint. */
  value: u64 = 0;
  /** Where the content of `BYTES` lies. */
  start: usize = 0;
  length: u32 = 0;

  private at: usize = 0;
  private end: usize = 0;

  open(at: usize, length: u32): void {
    this.at = at;
    this.end = at + length;
    this.failed = false;
  }

  /** Goes to the next field. False at the end, and when the bytes are not a message. */
  next(): bool {
    if (this.failed || this.at >= this.end) return false;
    const key = this.varint();
    this.field = <u32>(key >> 3);
    this.wire = <u32>key & 7;
    if (this.failed || key >> 32 != 0 || this.field == 0) return this.fail();
    if (this.wire == VARINT) this.value = this.varint();
    else if (this.wire == BYTES) this.content();
    else if (this.wire == FIXED64) this.skip(8);
    else if (this.wire == FIXED32) this.skip(4);
    else return this.fail();
    return !this.failed;
  }

  /** For a field that we know: it must be a varint. */
  number(): u64 {
    if (this.wire != VARINT) this.fail();
    return this.failed ? 0 : this.value;
  }

  /** For a field that we know: it must be text, bytes or a message. */
  bytes(): bool {
    return this.wire == BYTES || this.fail();
  }

  /** Goes to the next of numbers that follow each other without keys. */
  nextPacked(): bool {
    if (this.failed || this.at >= this.end) return false;
    this.value = this.varint();
    return !this.failed;
  }

  private content(): void {
    const length = this.varint();
    if (this.failed) return;
    this.start = this.at;
    this.length = <u32>length;
    if (length > <u64>(this.end - this.at)) this.fail();
    else this.at += <usize>length;
  }

  private skip(bytes: u32): void {
    if (this.end - this.at < bytes) this.fail();
    else this.at += bytes;
  }

  private varint(): u64 {
    let value: u64 = 0;
    for (let shift: u32 = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) break;
      const byte = <u64>load<u8>(this.at++);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.fail();
    return 0;
  }

  private fail(): bool {
    this.failed = true;
    return false;
  }
}
