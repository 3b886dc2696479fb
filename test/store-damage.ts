import { openRoot } from '../src/store/environment.js';
import { codecWith } from '../src/store/codec.js';
import type { Canonical } from '../src/domain/canonical.js';
import type { Key } from '../src/store/keys.js';
import { macKey } from './store-folder.js';

/** One record as it lies in a closed store. */
export interface Lying {
  readonly key: Key;
  readonly record: Buffer;
}

/** Every record of a closed store; those of decisions lie elsewhere. */
export async function recordsIn(folder: string): Promise<readonly Lying[]> {
  const root = openRoot(folder);
  const end = Buffer.of(0x50);
  const records = [...root.getRange({ start: Buffer.of(0), end })].map(({ key, value }) => ({
    key: key as Key,
    record: value,
  }));
  await root.close();
  return records;
}

/** Puts bytes under a key of a closed store, or removes it, past all that guards it. */
export async function tamper(
  folder: string,
  ...changes: readonly { key: Key; record: Buffer | null }[]
): Promise<void> {
  const root = openRoot(folder);
  await root.transaction(() => {
    for (const { key, record } of changes) void (record === null ? root.remove(key) : root.put(key, record));
  });
  await root.close();
}

/** A record that whoever has the MAC key could have made. */
export function forged(key: Key, value: Canonical): { key: Key; record: Buffer } {
  return { key, record: codecWith(macKey).encode(key, value) };
}

export function flipped({ key, record }: Lying, bit: number): Lying {
  const bytes = Buffer.from(record);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return { key, record: bytes };
}

/**
 * Takes so many pages in one transaction, under a key that is none of ours, and gives them back in the same one: LMDB
 * counts them as used and writes none of them.
 */
export async function takeAndGiveBack(folder: string, pages: number): Promise<void> {
  const root = openRoot(folder);
  const keyOf = (n: number) => Buffer.of(0x03, n >> 8, n & 255);
  await root.transaction(() => {
    for (let n = 0; n < pages; n++) void root.put(keyOf(n), Buffer.alloc(3_000));
    for (let n = 0; n < pages; n++) void root.remove(keyOf(n));
  });
  await root.close();
}
