import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { Key } from './keys.js';
import { DamagedError } from './store.js';

/**
 * Turns values into records and back. A record belongs to its key: moved to another one it does not decode.
 *
 *     offset  0         1                        n+1
 *             +---------+------------------------+-----------------+
 *             | version | body: canonical JSON   | MAC             |
 *             +---------+------------------------+-----------------+
 *     bytes   1         n                        16
 *
 * MAC: HMAC-SHA-256, its first 128 bits, over
 *
 *     | length of key: 4 bytes, big-endian | key | version | body |
 */
export interface Codec {
  /** @throws {TypeError} for values without canonical spelling */
  encode(key: Key, value: Canonical): Buffer;

  /** As `encode`, for a value that is already spelt canonically. */
  encodeText(key: Key, body: string): Buffer;

  /**
   * Refuses, or returns a value that encodes to the same bytes again.
   *
   * @throws {DamagedError}
   */
  decode(key: Key, record: Uint8Array): Canonical;
}

const VERSION = 1;
const MAC_BYTES = 16;

/** Length of the MAC key. */
export const MAC_KEY_BYTES = 32;

export function codecWith(macKey: Buffer): Codec {
  if (macKey.length !== MAC_KEY_BYTES) {
    throw new RangeError(`the MAC key must have ${MAC_KEY_BYTES} bytes, this one has ${macKey.length}`);
  }
  const secret = createSecretKey(macKey);

  function macOf(key: Key, versionAndBody: Uint8Array): Buffer {
    const input = Buffer.allocUnsafe(4 + key.length + versionAndBody.length);
    input.writeUInt32BE(key.length);
    input.set(key, 4);
    input.set(versionAndBody, 4 + key.length);
    return createHmac('sha256', secret).update(input).digest().subarray(0, MAC_BYTES);
  }

  function encodeText(key: Key, body: string): Buffer {
    const record = Buffer.allocUnsafe(1 + Buffer.byteLength(body) + MAC_BYTES);
    record[0] = VERSION;
    record.write(body, 1);
    const content = record.subarray(0, -MAC_BYTES);
    record.set(macOf(key, content), content.length);
    return record;
  }

  return {
    encode: (key, value) => encodeText(key, canonicalJson(value)),
    encodeText,
    decode(key, record) {
      const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
      const content = bytes.subarray(0, -MAC_BYTES);
      if (content.length === 0) throw new DamagedError(`record ${printKey(key)} is cut short`);
      if (!timingSafeEqual(macOf(key, content), bytes.subarray(-MAC_BYTES))) {
        throw new DamagedError(`record ${printKey(key)} does not match its MAC`);
      }
      // After the MAC: the version is ours, so this is a database written by a newer release, not a damaged one.
      if (content[0] !== VERSION) {
        throw new DamagedError(`record ${printKey(key)} has version ${content[0]}, this release reads ${VERSION}`);
      }
      return parseCanonical(key, content.toString('utf8', 1));
    },
  };
}

/** A key as error messages show it. */
export function printKey(key: Key): string {
  return key.toString('hex');
}

function parseCanonical(key: Key, body: string): Canonical {
  try {
    const value = JSON.parse(body) as Canonical;
    if (canonicalJson(value) === body) return value;
  } catch (cause) {
    throw new DamagedError(`record ${printKey(key)} does not parse`, { cause });
  }
  throw new DamagedError(`record ${printKey(key)} is not in canonical form`);
}
