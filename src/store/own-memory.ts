/**
 * A copy in memory of its own, for what is kept long. A short buffer otherwise lies in a slab of 8 KiB with whatever was
 * made beside it, and keeps all of it: a few thousand of them tens of megabytes.
 */
export function inOwnMemory(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
