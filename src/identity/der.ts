/** What is not the certificate that was expected. The message says what is wrong and quotes no secrets. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** One element of DER: `der` is all of it, `contents` what follows tag and length. */
export interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
  readonly der: Uint8Array;
}

/** The universal tags that certificates are made of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Certificates nest about ten deep. */
const MAX_DEPTH = 16;

/**
 * Reads DER from bytes that a client chose, front to back. One encoding per value: a length is definite and as short as
 * it can be, an element ends inside its parent, and whoever calls `end` has seen everything there was.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #at = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DEPTH) throw new CertificateError(`nested more than ${MAX_DEPTH} deep`);
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** The tag of the next element; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Any element but the long form of tags, which certificates have no use for. */
  any(what: string): Element {
    const start = this.#at;
    const tag = this.#byte(what);
    if ((tag & 0x1f) === 0x1f) throw new CertificateError(`${what} has a tag of more than one byte`);
    const length = this.#length(what);
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new CertificateError(`${what} is cut short`);
    this.#at += length;
    return { tag, contents: this.#bytes.subarray(from, this.#at), der: this.#bytes.subarray(start, this.#at) };
  }

  /** The next element, which must have this tag. */
  element(tag: number, what: string): Element {
    if (this.next !== tag) throw new CertificateError(`${what} is missing or of another type`);
    return this.any(what);
  }

  /** The next element if it has this tag. */
  optional(tag: number, what: string): Element | undefined {
    return this.next === tag ? this.any(what) : undefined;
  }

  /** Steps into an element that holds others. */
  inside(tag: number, what: string): DerReader {
    return this.into(this.element(tag, what).contents);
  }

  /** Reads bytes that lie one level deeper, such as what an OCTET STRING wraps. */
  into(contents: Uint8Array): DerReader {
    return new DerReader(contents, this.#depth + 1);
  }

  /** Nothing may follow. */
  end(what: string): void {
    if (this.next !== undefined) throw new CertificateError(`${what} has something after its end`);
  }

  #length(what: string): number {
    const first = this.#byte(what);
    if (first < 0x80) return first;
    const count = first - 0x80;
    if (count === 0) throw new CertificateError(`${what} has no definite length`);
    let length = 0; // Loses digits above 2^53, where no input ends anyway.
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte(what);
    const shortest = length >= 0x80 && length >= 256 ** (count - 1);
    if (!shortest) throw new CertificateError(`${what} has a length that is not in its shortest form`);
    return length;
  }

  #byte(what: string): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new CertificateError(`${what} is cut short`);
    this.#at += 1;
    return byte;
  }
}
