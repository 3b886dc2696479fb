import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Canonical } from '../domain/canonical.js';
import { macKey } from '../../test/store-folder.js';
import { codecWith } from './codec.js';
import { entryKey, grantKey, HEAD_KEY, lockKey, type Key } from './keys.js';
import { DamagedError } from './store.js';

const codec = codecWith(macKey);
const key = lockKey('lock_1' as never);
const value = { reason: 'ünïcode', n: 7, list: [null, true] };

const canonical = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().filter((n) => !Object.is(n, -0)),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 4 }), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** A record with a proper MAC over whatever body, as only the holder of the key can make. */
function recordOf(at: Key, version: number, body: string): Buffer {
  const content = Buffer.concat([Buffer.of(version), Buffer.from(body)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(at.length);
  const mac = createHmac('sha256', macKey).update(length).update(at).update(content).digest().subarray(0, 16);
  return Buffer.concat([content, mac]);
}

test('a value decodes as it was encoded', () => {
  fc.assert(
    fc.property(canonical, (one) => {
      expect(codec.decode(key, codec.encode(key, one))).toEqual(one);
    }),
    { numRuns: 300 },
  );
});

test('the layout is version, canonical JSON, sixteen bytes of MAC', () => {
  expect(codec.encode(key, { b: 1, a: 2 })).toEqual(recordOf(key, 1, '{"a":2,"b":1}'));
});

test('bytes are rejected, or decode to a value that encodes to the same bytes', () => {
  const body = fc.oneof(
    canonical.map((one) => JSON.stringify(one)),
    fc.json(),
    fc.constantFrom(
      '{"a":1,"a":1}',
      '{"b":1,"a":1}',
      '1.0',
      '1e2',
      ' 1',
      '-0',
      '"\\u0061"',
      '',
      '{}x',
      '{"__proto__":1}',
    ),
  );
  const record = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.constantFrom(0, 1, 2), body).map(([version, text]) => recordOf(key, version, text)),
  );
  fc.assert(
    fc.property(record, (bytes) => {
      let decoded: Canonical;
      try {
        decoded = codec.decode(key, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedError);
        return;
      }
      expect(codec.encode(key, decoded)).toEqual(bytes);
    }),
    { numRuns: 1_000 },
  );
});

test('one flipped bit anywhere is damage', () => {
  const record = codec.encode(key, value);
  for (let bit = 0; bit < record.length * 8; bit++) {
    const flipped = Buffer.from(record);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => codec.decode(key, flipped), `bit ${bit}`).toThrow(DamagedError);
  }
});

test('a record cut or extended anywhere is damage', () => {
  const record = codec.encode(key, value);
  for (let length = 0; length < record.length; length++) {
    expect(() => codec.decode(key, record.subarray(0, length))).toThrow(DamagedError);
  }
  expect(() => codec.decode(key, Buffer.concat([record, Buffer.of(0)]))).toThrow(DamagedError);
});

test('a record does not decode under another key', () => {
  const record = codec.encode(key, value);
  for (const other of [lockKey('lock_2' as never), grantKey('lock_1' as never), entryKey(1), HEAD_KEY]) {
    expect(() => codec.decode(other, record)).toThrow('does not match its MAC');
  }
});

test('bytes that move from the key into the record are not the same record', () => {
  // Without the length in front, key "ab" with content "c" and key "a" with content "bc" would have the same MAC.
  const [long, short] = [Buffer.from('ab') as Key, Buffer.from('a') as Key];
  const record = recordOf(long, 1, '7');
  const moved = Buffer.concat([Buffer.from('b'), record]);
  expect(() => codec.decode(short, moved)).toThrow(DamagedError);
});

test('a record of another MAC key does not decode', () => {
  expect(() => codecWith(Buffer.alloc(32, 8)).decode(key, codec.encode(key, value))).toThrow('does not match its MAC');
});

test('an unknown version is refused by name', () => {
  expect(() => codec.decode(key, recordOf(key, 2, '{}'))).toThrow('has version 2, this release reads 1');
});

describe('the MAC key', () => {
  test.each([0, 16, 31, 33])('of %i bytes is refused', (length) => {
    expect(() => codecWith(Buffer.alloc(length))).toThrow('must have 32 bytes');
  });
});
