import { KnownTexts } from './known-texts.js';
import { BYTES, Fields, MalformedError } from './wire.js';

/** What the decision needs of `envoy.service.auth.v3.CheckRequest`. Strings hold one character per byte. */
export interface CheckRequest {
  /** The peer's certificate as received: PEM, URL-encoded; empty without one. */
  readonly certificate: string;
  /** Whether Envoy knew a principal: then a missing certificate is a missing setting. */
  readonly hasPrincipal: boolean;
  readonly sourceAddress: string | null;
  /** Name of the internal listener the request arrived at; no network client can produce one. */
  readonly internalListener: string | null;
  /** Null for the network filter. */
  readonly http: HttpRequest | null;
  /** `context_extensions["portcullis.resource"]`, set by the route. */
  readonly resource: string | null;
  /** `context_extensions["portcullis.identity"]`, set by the route. */
  readonly identity: string | null;
}

export interface HttpRequest {
  readonly method: string;
  /** With the query, as the client sent it. */
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Partial<Record<ReadHeader, string>>>;
}

/** The headers that are read at all. Only `upgrade` and `connection` (as Envoy itself reads them) and, on the gate, its own two reach a decision. */
const READ_HEADERS = [
  'accept',
  'upgrade',
  'connection',
  'content-type',
  'x-portcullis-peer',
  'x-portcullis-source',
] as const;
export type ReadHeader = (typeof READ_HEADERS)[number];

const HEADER_LENGTHS = new Set<number>(READ_HEADERS.map((name) => name.length));
const EXTENSION_LENGTH = 'portcullis.resource'.length; // `portcullis.identity` has the same

/**
 * Reads the few fields that count straight from the bytes; everything else is stepped over. What protobuf lets pass but
 * Envoy never sends (a singular field twice, a key twice) is malformed, so that no two readers can take it differently.
 *
 * @throws {MalformedError}
 */
export function readCheckRequest(bytes: Buffer): CheckRequest {
  const request = { ...EMPTY };
  const seen = new Seen();
  for (const message = new Fields(bytes); message.next();) {
    if (message.number !== 1) message.skip();
    else {
      seen.once('attributes');
      readAttributes(message.message(), request, seen);
    }
  }
  return request;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const EMPTY: CheckRequest = {
  certificate: '',
  hasPrincipal: false,
  sourceAddress: null,
  internalListener: null,
  http: null,
  resource: null,
  identity: null,
};

/** Singular fields, a bit each. */
const BITS = {
  attributes: 1 << 0,
  source: 1 << 1,
  destination: 1 << 2,
  request: 1 << 3,
  'source.address': 1 << 4,
  'source.principal': 1 << 5,
  'source.certificate': 1 << 6,
  'destination.address': 1 << 7,
  address: 1 << 8,
  server_listener_name: 1 << 9,
  http: 1 << 10,
  method: 1 << 11,
  path: 1 << 12,
  host: 1 << 13,
  header_map: 1 << 14,
} as const;

/** Remembers which singular fields have been read. */
class Seen {
  #bits = 0;

  once(name: keyof typeof BITS): void {
    const bit = BITS[name];
    if ((this.#bits & bit) !== 0) throw new MalformedError(`${name} is there twice`);
    this.#bits |= bit;
  }
}

function readAttributes(attributes: Fields, into: Mutable<CheckRequest>, seen: Seen): void {
  while (attributes.next()) {
    switch (attributes.number) {
      case 1:
        seen.once('source');
        readSource(attributes.message(), into, seen);
        break;
      case 2:
        seen.once('destination');
        readDestination(attributes.message(), into, seen);
        break;
      case 4:
        seen.once('request');
        readRequest(attributes.message(), into, seen);
        break;
      case 10:
        readExtension(attributes.message(), into);
        break;
      default:
        attributes.skip();
    }
  }
}

const certificates = new KnownTexts();

function readSource(source: Fields, into: Mutable<CheckRequest>, seen: Seen): void {
  while (source.next()) {
    switch (source.number) {
      case 1:
        seen.once('source.address');
        into.sourceAddress = readAddress(source.message()).socket;
        break;
      case 4:
        seen.once('source.principal');
        into.hasPrincipal = source.latin1() !== '';
        break;
      case 5:
        seen.once('source.certificate');
        into.certificate = source.known(certificates);
        break;
      default:
        source.skip();
    }
  }
}

function readDestination(destination: Fields, into: Mutable<CheckRequest>, seen: Seen): void {
  while (destination.next()) {
    if (destination.number !== 1) destination.skip();
    else {
      seen.once('destination.address');
      into.internalListener = readAddress(destination.message()).internalListener;
    }
  }
}

/** The kinds of address are alternatives; more than one is malformed. */
function readAddress(address: Fields): { socket: string | null; internalListener: string | null } {
  const result = { socket: null as string | null, internalListener: null as string | null };
  const seen = new Seen();
  while (address.next()) {
    seen.once('address');
    if (address.number === 1) result.socket = readSocketAddress(address.message());
    else if (address.number === 3) result.internalListener = readInternalAddress(address.message());
    else address.skip();
  }
  return result;
}

function readSocketAddress(address: Fields): string {
  let host = '';
  let port = 0;
  while (address.next()) {
    if (address.number === 2) host = address.latin1();
    else if (address.number === 3) port = address.uint32();
    else address.skip();
  }
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function readInternalAddress(address: Fields): string {
  let name = '';
  const seen = new Seen();
  while (address.next()) {
    if (address.number === 1) {
      seen.once('server_listener_name');
      name = address.latin1();
    } else address.skip();
  }
  return name;
}

function readExtension(entry: Fields, into: Mutable<CheckRequest>): void {
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.number === 1 && entry.type === BYTES)
      key = entry.peekLength() === EXTENSION_LENGTH ? entry.latin1() : skipped(entry);
    else if (entry.number === 2) value = entry.latin1();
    else entry.skip();
  }
  if (key === 'portcullis.resource') into.resource = onlyOne(into.resource, value, key);
  else if (key === 'portcullis.identity') into.identity = onlyOne(into.identity, value, key);
}

function readRequest(request: Fields, into: Mutable<CheckRequest>, seen: Seen): void {
  while (request.next()) {
    if (request.number !== 2) request.skip();
    else {
      seen.once('http');
      into.http = readHttp(request.message());
    }
  }
}

function readHttp(http: Fields): HttpRequest {
  const result = { method: '', path: '', host: '', headers: {} as Partial<Record<ReadHeader, string>> };
  const seen = new Seen();
  while (http.next()) {
    switch (http.number) {
      case 2:
        seen.once('method');
        result.method = http.latin1();
        break;
      case 3:
        readHeader(http.message(), 2, result.headers);
        break;
      case 4:
        seen.once('path');
        result.path = http.latin1();
        break;
      case 5:
        seen.once('host');
        result.host = http.latin1();
        break;
      case 13:
        seen.once('header_map');
        for (const map = http.message(); map.next();) {
          if (map.number === 1) readHeader(map.message(), 3, result.headers);
          else map.skip();
        }
        break;
      default:
        http.skip();
    }
  }
  return result;
}

/** A map entry keeps its value in field 2, a raw header in field 3. */
function readHeader(entry: Fields, valueField: 2 | 3, into: Partial<Record<ReadHeader, string>>): void {
  let name: string | null = null;
  let value = '';
  while (entry.next()) {
    if (entry.number === 1 && entry.type === BYTES) name = readHeaderName(entry);
    else if (entry.number === valueField) value = name === '' ? skipped(entry) : entry.latin1();
    else entry.skip();
  }
  if (name === null || !isReadHeader(name)) return;
  const earlier = into[name];
  if (earlier !== undefined && name.startsWith('x-portcullis-')) throw new MalformedError(`${name} is there twice`);
  into[name] = earlier === undefined ? value : `${earlier},${value}`;
}

/** Empty for a header that is not read. */
function readHeaderName(entry: Fields): string {
  const name = HEADER_LENGTHS.has(entry.peekLength()) ? entry.latin1() : skipped(entry);
  return isReadHeader(name) ? name : '';
}

function isReadHeader(name: string): name is ReadHeader {
  return (READ_HEADERS as readonly string[]).includes(name);
}

function skipped(entry: Fields): string {
  entry.skip();
  return '';
}

function onlyOne(earlier: string | null, value: string, key: string): string {
  if (earlier !== null) throw new MalformedError(`${key} is there twice`);
  return value;
}
