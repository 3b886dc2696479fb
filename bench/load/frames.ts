/** Frame types and flags of HTTP/2 (RFC 9113 section 6), as far as a client of one method needs them. */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Good until the next chunk has been read. */
  readonly payload: Buffer;
}

const HEAD = 9;

/**
 * One frame.
 *
 *     offset  0         3      4       5           9
 *             +---------+------+-------+-----------+---------+
 *             | length  | type | flags | stream id | payload |
 *             +---------+------+-------+-----------+---------+
 *     bytes   3         1      1       4
 */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, HEAD);
  return bytes;
}

/** Cuts what arrives into frames, whatever the pieces it arrives in. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer, take: (frame: Frame) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD) {
      const end = at + HEAD + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      take({
        type: bytes[at + 3]!,
        flags: bytes[at + 4]!,
        stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
        payload: bytes.subarray(at + HEAD, end),
      });
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

/** Everything a client says first: no pushes, and windows that no answer of ours can fill. */
export function greeting(): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(2, 0); // SETTINGS_ENABLE_PUSH: 0
  settings.writeUInt16BE(4, 6); // SETTINGS_INITIAL_WINDOW_SIZE
  settings.writeUInt32BE(0x7fffffff, 8);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
    frame(FRAME.settings, 0, 0, settings),
    windowUpdate(0, RECEIVE_WINDOW - 65_535),
  ]);
}

/** What the server may send on a connection before it is given more. */
export const RECEIVE_WINDOW = 0x7fffffff;

export function windowUpdate(stream: number, by: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(by, 0);
  return frame(FRAME.windowUpdate, 0, stream, payload);
}

/** Name and value; the order is kept. */
export type Headers = readonly (readonly [string, string])[];

/**
 * The same headers for every request of a connection, in the shortest form there is (RFC 7541): the first time each
 * goes into the dynamic table, from then on one byte each stands for it, as with Envoy.
 */
export function headerBlocks(headers: Headers): { readonly first: Buffer; readonly again: Buffer } {
  const first = headers.flatMap(([name, value]) => [Buffer.of(0x40), literal(name), literal(value)]);
  // The table begins at 62, with what was added last.
  const again = headers.map((_, i) => 0x80 | (62 + headers.length - 1 - i));
  return { first: Buffer.concat(first), again: Buffer.from(again) };
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > 126) throw new RangeError(`a header part of ${bytes.length} bytes; at most 126 are expected`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
