/** An address or a network as bytes, four or sixteen of them, and how many bits of them count. */
interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/**
 * The network that whoever connects from here is told by: the address itself for IPv4; for IPv6 the 64 bits that a
 * machine keeps while it changes the rest. `source` is as Envoy prints it, `10.0.0.7:5000` or `[2001:db8::7]:5000`, or
 * an address alone. Null for what is no IP address.
 */
export function prefixOf(source: string): string | null {
  const bytes = parseAddress(hostIn(source));
  if (bytes === null) return null;
  if (bytes.length === 4) return `${bytes.join('.')}/32`;
  const groups = [0, 2, 4, 6].map((i) => (bytes[i]! * 256 + bytes[i + 1]!).toString(16));
  return `${groups.join(':')}::/64`;
}

/** Whether an address (with or without a port), or all of a network, lies in a network. What cannot be read lies nowhere. */
export function isWithin(source: string, network: string): boolean {
  const outer = parseNetwork(network);
  const inner = source.includes('/') ? parseNetwork(source) : parseNetwork(hostIn(source));
  if (outer === null || inner === null) return false;
  if (inner.bytes.length !== outer.bytes.length || inner.bits < outer.bits) return false;
  return outer.bytes.every((byte, i) => {
    const shift = 8 - Math.min(8, Math.max(0, outer.bits - i * 8));
    return byte >> shift === inner.bytes[i]! >> shift;
  });
}

/** `[address]:port`, `address:port` for IPv4, or the address alone. */
function hostIn(source: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(source) ?? [];
  return bracketed ?? dotted ?? source;
}

function parseNetwork(text: string): Network | null {
  const [address = '', bits, more] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === null || more !== undefined) return null;
  const all = bytes.length * 8;
  if (bits === undefined) return { bytes, bits: all };
  return /^\d{1,3}$/.test(bits) && Number(bits) <= all ? { bytes, bits: Number(bits) } : null;
}

function parseAddress(text: string): readonly number[] | null {
  if (!text.includes(':')) return parseV4(text);
  const bytes = parseV6(text);
  // An IPv4 address in the clothes of IPv6, as a socket that listens on both shows it.
  const isMapped = bytes?.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  return isMapped ? bytes!.slice(12) : bytes;
}

function parseV4(text: string): readonly number[] | null {
  const parts = text.split('.');
  // Without leading zeros: some readers take those for octal.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.map(Number);
}

function parseV6(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : bytesOfGroups(half.split(':'))));
  if (head === null || tail === null || head === undefined) return null;
  if (tail === undefined) return head.length === 16 ? head : null;
  const missing = 16 - head.length - tail.length;
  return missing < 2 ? null : [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** Groups of four hexadecimal digits at most; the last may be an IPv4 address. */
function bytesOfGroups(groups: readonly string[]): readonly number[] | null {
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const dotted = i === groups.length - 1 && group.includes('.') ? parseV4(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return null;
  }
  return bytes.length <= 16 ? bytes : null;
}
