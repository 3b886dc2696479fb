/** Texts of these lengths are worth it: certificates, URL-encoded. In bytes. */
const SHORTEST = 256;
const LONGEST = 4_096;

/** Of each of the two generations. At most 16 MB in all, 4 MB with the usual certificates. */
const REMEMBERED = 1_024;

interface Known {
  readonly bytes: Buffer;
  readonly text: string;
}

/**
 * Gives the same bytes as the same text: to find the text of a certificate among those that are known costs less than to make
 * it anew for each check and to hash it. It knows nothing but spelling: bytes that differ anywhere are another text.
 */
export class KnownTexts {
  #young = new Map<number, Known>();
  #old = new Map<number, Known>();

  /** The bytes from `start` to `end`, one character per byte. */
  read(buffer: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length < SHORTEST || length > LONGEST) return buffer.toString('latin1', start, end);
    const mark = markOf(buffer, start, end);
    const known = this.#young.get(mark);
    if (known !== undefined && isSame(known.bytes, buffer, start, end)) return known.text;
    const earlier = this.#old.get(mark);
    if (earlier !== undefined && isSame(earlier.bytes, buffer, start, end)) return this.#keep(mark, earlier);
    // Of its own, since the next message may lie in the same place, and outside of any slab that it would keep alive.
    const bytes = Buffer.allocUnsafeSlow(length);
    buffer.copy(bytes, 0, start, end);
    return this.#keep(mark, { bytes, text: buffer.toString('latin1', start, end) });
  }

  /** What has the same mark makes room: a mark is no proof of anything. */
  #keep(mark: number, known: Known): string {
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(mark, known);
    return known.text;
  }
}

function isSame(known: Buffer, buffer: Buffer, start: number, end: number): boolean {
  return known.length === end - start && known.compare(buffer, start, end) === 0;
}

/** Twelve bytes of the last two thirds and the length: certificates of one CA differ in their keys and signatures. */
function markOf(buffer: Buffer, start: number, end: number): number {
  const length = end - start;
  const step = Math.floor(length / 18);
  let mark = length;
  for (let i = 1; i <= 12; i++) mark = (Math.imul(mark, 31) + buffer[end - i * step]!) | 0;
  return mark;
}
