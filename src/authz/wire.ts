import type { KnownTexts } from './known-texts.js';

/** The bytes are no message of the expected kind. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/**
 * Walks the fields of one protobuf message without building anything: `next()` steps to a field, then it is read or
 * skipped. Everything is bounds-checked against the message; groups (unused since proto3) are refused.
 *
 * The sender is Envoy, but most of what it sends was chosen by a client.
 */
export class Fields {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;
  /** Number and wire type of the current field. */
  number = 0;
  type = 0;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#at === this.#end) return false;
    const tag = this.#varint();
    this.number = Math.floor(tag / 8);
    this.type = tag % 8;
    if (this.number === 0 || tag > 0xffffffff) throw new MalformedError('field number out of range');
    return true;
  }

  /** Reads the current field as a nested message. */
  message(): Fields {
    const end = this.#length();
    const nested = new Fields(this.#buffer, this.#at, end);
    this.#at = end;
    return nested;
  }

  /** Reads the current field as text, one character per byte: what is not ASCII stays visible as such. */
  latin1(): string {
    const end = this.#length();
    const text = this.#buffer.toString('latin1', this.#at, end);
    this.#at = end;
    return text;
  }

  /** As `latin1`, for long texts that come again and again. */
  known(texts: KnownTexts): string {
    const end = this.#length();
    const text = texts.read(this.#buffer, this.#at, end);
    this.#at = end;
    return text;
  }

  /** Length of the current string without reading it; for telling whether it is worth reading. */
  peekLength(): number {
    const at = this.#at;
    const end = this.#length();
    const length = end - this.#at;
    this.#at = at;
    return length;
  }

  uint32(): number {
    if (this.type !== VARINT) throw new MalformedError('expected a number');
    return this.#varint() >>> 0;
  }

  skip(): void {
    if (this.type === VARINT) this.#varint();
    else if (this.type === BYTES) this.#at = this.#length();
    else if (this.type === FIXED64 || this.type === FIXED32) this.#advance(this.type === FIXED64 ? 8 : 4);
    else throw new MalformedError(`wire type ${this.type} is not used`);
  }

  /** Steps behind the length prefix; returns where the content ends. */
  #length(): number {
    if (this.type !== BYTES) throw new MalformedError('expected a length');
    const length = this.#varint();
    if (length > this.#end - this.#at) throw new MalformedError('content longer than the message');
    return this.#at + length;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw new MalformedError('message ends inside a number');
    this.#at += count;
  }

  /** At most ten bytes; above 2^53 the value is only approximate, which is far above every bound it is held against. */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) throw new MalformedError('message ends inside a number');
      const byte = this.#buffer[this.#at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw new MalformedError('number longer than ten bytes');
  }
}

/** Characters. */
const SHORT = 80;

/** Appends protobuf fields to a growing buffer. One instance serves one answer at a time. */
export class Writer {
  #buffer = Buffer.allocUnsafe(4_096);
  #at = 0;

  /** Begins anew, with room for so many bytes in front. */
  reset(front = 0): void {
    this.#at = front;
  }

  /** A copy of what has been written, with the room in front. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  varint(field: number, value: number): void {
    this.#room(16);
    this.#raw(field * 8 + VARINT);
    this.#raw(value);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#raw(field * 8 + FIXED64);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  string(field: number, text: string): void {
    if (text.length < SHORT && this.#ascii(field, text)) return;
    const length = Buffer.byteLength(text);
    this.#room(length + 16);
    this.#raw(field * 8 + BYTES);
    this.#raw(length);
    this.#at += this.#buffer.write(text, this.#at);
  }

  /** Most texts are short names, for which two calls into the platform cost more than this. False: there is more than ASCII. */
  #ascii(field: number, text: string): boolean {
    this.#room(text.length + 16);
    const start = this.#at;
    this.#raw(field * 8 + BYTES);
    this.#raw(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#at = start;
        return false;
      }
      this.#buffer[this.#at++] = code;
    }
    return true;
  }

  bytes(content: Buffer): void {
    this.#room(content.length);
    this.#at += content.copy(this.#buffer, this.#at);
  }

  /** Writes a nested message. Its length gets two bytes, so it may be up to 16 383 long. */
  message(field: number, write: () => void): void {
    const start = this.begin(field);
    write();
    this.end(start);
  }

  /** Begins a nested message; what this returns is to be handed to `end`. Spares the function that `message` takes. */
  begin(field: number): number {
    this.#room(16);
    this.#raw(field * 8 + BYTES);
    this.#at += 2;
    return this.#at;
  }

  end(start: number): void {
    const length = this.#at - start;
    if (length > 0x3fff) throw new RangeError(`nested message of ${length} bytes`);
    // A length in two bytes even where one would do is valid protobuf, and spares measuring before writing.
    this.#buffer[start - 2] = (length & 0x7f) | 0x80;
    this.#buffer[start - 1] = length >> 7;
  }

  #raw(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  #room(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe((this.#at + count) * 2);
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
