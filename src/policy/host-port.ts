import { isIPv4, isIPv6 } from 'node:net';

/** Where something listens: the host in lower case, an IPv6 address without its brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)):(0|[1-9]\d{0,4})$/;

/** Null when the text is not `host:port`; port 0 is left to the caller. */
export function parseHostPort(text: string): HostPort | null {
  const [, six, name, digits] = HOST_PORT.exec(text) ?? [];
  const host = six ?? name;
  const port = Number(digits);
  if (host === undefined || host.length > 253 || port > 65_535) return null;
  if (six !== undefined && !isIPv6(six)) return null;
  // 10.1 and 010.1.2.3 are addresses to some readers, and other addresses to others.
  if (name !== undefined && /^(?:0x)?[0-9a-f.]*$/i.test(name) && /\d$/.test(name) && !isIPv4(name)) return null;
  return { host: host.toLowerCase(), port };
}

export function printHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
