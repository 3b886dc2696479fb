import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { decodeCheckRequest, encodeCheckRequest, type CheckRequestObject } from '../../test/check-requests.js';
import { readCheckRequest, type CheckRequest, type ReadHeader } from './check-request.js';
import { MalformedError } from './wire.js';

const READ: readonly ReadHeader[] = [
  'accept',
  'upgrade',
  'connection',
  'content-type',
  'x-portcullis-peer',
  'x-portcullis-source',
];

/** What the reader should find, told from what proto-loader decodes. */
function expected({ attributes }: CheckRequestObject): CheckRequest {
  const source = attributes?.source;
  const http = attributes?.request?.http;
  const extensions = attributes?.contextExtensions ?? {};
  const socket = source?.address?.socketAddress;
  const host = socket?.address ?? '';
  const raw =
    http?.headerMap?.headers.map(({ key, rawValue }) => [key, rawValue?.toString('latin1') ?? ''] as const) ?? [];
  const named = [...Object.entries(http?.headers ?? {}), ...raw].filter(([key]) => READ.includes(key as ReadHeader));
  const headers: Record<string, string> = {};
  for (const [key, value] of named) headers[key] = key in headers ? `${headers[key]},${value}` : value;
  return {
    certificate: source?.certificate ?? '',
    hasPrincipal: Boolean(source?.principal),
    sourceAddress: socket ? `${host.includes(':') ? `[${host}]` : host}:${socket.portValue}` : null,
    internalListener: attributes?.destination?.address?.envoyInternalAddress?.serverListenerName ?? null,
    http: http ? { method: http.method ?? '', path: http.path ?? '', host: http.host ?? '', headers } : null,
    resource: Object.hasOwn(extensions, 'portcullis.resource') ? extensions['portcullis.resource']! : null,
    identity: Object.hasOwn(extensions, 'portcullis.identity') ? extensions['portcullis.identity']! : null,
  };
}

const text = fc.string({ maxLength: 30 });
const key = fc.oneof(fc.constantFrom(...READ), text);
const address = fc.oneof(
  fc.constant(null),
  fc.record({ socketAddress: fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), portValue: fc.nat(65_535) }) }),
  fc.record({ envoyInternalAddress: fc.record({ serverListenerName: text }) }),
  fc.record({ pipe: fc.record({ path: text }) }),
);
const peer = fc.option(fc.record({ principal: text, certificate: text, address }, { requiredKeys: [] }));
const extensions = fc.dictionary(fc.oneof(fc.constantFrom('portcullis.resource', 'portcullis.identity'), text), text, {
  maxKeys: 4,
});
const plainHeaders = fc.record({ headers: fc.dictionary(key, text, { maxKeys: 8 }) });
const rawHeaders = fc.record({
  headerMap: fc.record({
    headers: fc.uniqueArray(fc.record({ key, rawValue: text.map((value) => Buffer.from(value, 'latin1')) }), {
      selector: (one) => one.key,
    }),
  }),
});
const http = fc
  .tuple(fc.record({ method: text, path: text, host: text }, { requiredKeys: [] }), fc.oneof(plainHeaders, rawHeaders))
  .map(([line, headers]) => ({ ...line, ...headers }));
const checkRequest = fc.record({
  attributes: fc.option(
    fc.record(
      {
        source: peer,
        destination: peer,
        request: fc.option(fc.record({ http: fc.option(http) }, { requiredKeys: [] })),
        contextExtensions: extensions,
        tlsSession: fc.option(fc.record({ sni: text })),
      },
      { requiredKeys: [] },
    ),
  ),
}) as fc.Arbitrary<CheckRequestObject>;

test('it reads of any message what proto-loader decodes', () => {
  fc.assert(
    fc.property(checkRequest, (message) => {
      const bytes = encodeCheckRequest(message);
      expect(readCheckRequest(bytes)).toEqual(expected(decodeCheckRequest(bytes)));
    }),
    runs(1_500),
  );
});

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('flip', 'cut', 'insert', 'drop'),
  byte: fc.nat(255),
});

function mutate(bytes: Buffer, { at, kind, byte }: { at: number; kind: string; byte: number }): Buffer {
  const i = Math.floor(at * bytes.length);
  if (kind === 'cut') return bytes.subarray(0, i);
  if (kind === 'drop') return Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]);
  if (kind === 'insert') return Buffer.concat([bytes.subarray(0, i), Buffer.of(byte), bytes.subarray(i)]);
  const flipped = Buffer.from(bytes);
  if (i < bytes.length) flipped[i] = flipped[i]! ^ (byte || 1);
  return flipped;
}

// Where only proto-loader says malformed, the fault lies in a part that the reader steps over and nothing depends on.
test('of mutated bytes it never reads anything else than proto-loader decodes', () => {
  fc.assert(
    fc.property(checkRequest, fc.array(mutation, { minLength: 1, maxLength: 3 }), (message, mutations) => {
      const bytes = mutations.reduce(mutate, encodeCheckRequest(message));
      const ours = attempt(() => readCheckRequest(bytes));
      if (ours === null) return;
      const theirs = attempt(() => decodeCheckRequest(bytes));
      if (theirs !== null) expect(asciiOnly(ours)).toEqual(asciiOnly(expected(theirs)));
    }),
    runs(3_000),
  );
});

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    if (
      error instanceof Error &&
      /index out of range|invalid wire type|invalid varint|illegal|max depth/i.test(error.message)
    )
      return null;
    throw error;
  }
}

/** Bytes beyond ASCII are one character each here and UTF-8 there; both forms are refused later on. */
function asciiOnly(request: CheckRequest): string {
  return JSON.stringify(request).replaceAll(/[^\x20-\x7e]+/g, '?');
}

test('a singular field that is there twice is malformed, whatever it holds', () => {
  const certificate = encodeCheckRequest({ attributes: { source: { certificate: 'a' } } });
  expect(() => readCheckRequest(Buffer.concat([certificate, certificate]))).toThrow(MalformedError);
  const twiceInside = Buffer.from([0x0a, 8, 0x0a, 6, 0x2a, 1, 0x61, 0x2a, 1, 0x62]);
  expect(() => readCheckRequest(twiceInside)).toThrow(/source.certificate is there twice/);
});

test('a context extension that is there twice is malformed', () => {
  const one = encodeCheckRequest({ attributes: { contextExtensions: { 'portcullis.resource': 'a' } } });
  const inner = one.subarray(2);
  const twice = Buffer.concat([Buffer.of(0x0a, inner.length * 2), inner, inner]);
  expect(() => readCheckRequest(twice)).toThrow(/portcullis.resource is there twice/);
});

test('an identity header of the gate that is there twice is malformed; other headers are joined as Envoy joins them', () => {
  const raw = (key: string) => ({ key, rawValue: Buffer.from('v') });
  const request = (headers: { key: string; rawValue: Buffer }[]) =>
    encodeCheckRequest({ attributes: { request: { http: { headerMap: { headers } } } } });
  expect(() => readCheckRequest(request([raw('x-portcullis-peer'), raw('x-portcullis-peer')]))).toThrow(MalformedError);
  expect(readCheckRequest(request([raw('upgrade'), raw('upgrade')])).http?.headers.upgrade).toBe('v,v');
});

test('an empty message and one with empty attributes have nothing in them', () => {
  const nothing = readCheckRequest(Buffer.alloc(0));
  expect(nothing).toEqual(readCheckRequest(Buffer.of(0x0a, 0)));
  expect(nothing).toMatchObject({ certificate: '', http: null, resource: null });
});

test.for([
  ['a length beyond the message', [0x0a, 5, 0x0a]],
  ['a group', [0x0b]],
  ['a number that never ends', [0x08, ...Array(11).fill(0xff)]],
  ['field number zero', [0x00, 0x00]],
  ['a truncated fixed64', [0x09, 1, 2, 3]],
  ['attributes that are a number', [0x08, 1]],
] as [string, number[]][])('%s is malformed', ([, bytes]) => {
  expect(() => readCheckRequest(Buffer.from(bytes))).toThrow(MalformedError);
});
