import { Writer } from '../../src/authz/wire.js';

/** What differs between the checks of one benchmark. */
export interface CheckContent {
  /** PEM of the client's certificate. */
  readonly certificate: string;
  /** What `source.principal` says: the first URI of the certificate. */
  readonly principal: string;
  readonly resource: string;
  readonly headers: 'as generated' | 'ten';
}

/**
 * A CheckRequest with the fields that Envoy 1.40 fills, in its order, `encode_raw_headers` on. Written by field number,
 * as envoy/service/auth/v3/attribute_context.proto has them, because the service's own schema leaves most of them out.
 */
export function checkBytes(content: CheckContent): Buffer {
  const w = new Writer();
  w.message(1, () => {
    w.message(1, () => peer(w, { address: '127.0.0.1', port: 50_123, ...content }));
    w.message(2, () => peer(w, { address: '127.0.0.1', port: 443, principal: 'localhost' }));
    w.message(4, () => {
      w.message(1, () => {
        w.varint(1, 1_795_380_216);
        w.varint(2, 62_029_000);
      });
      w.message(2, () => http(w, content));
    });
    w.message(10, () => {
      w.string(1, 'portcullis.resource');
      w.string(2, content.resource);
    });
    w.message(11, () => undefined);
    w.message(12, () => w.string(1, `${content.resource}.internal`));
    w.message(13, () => undefined);
  });
  return w.finish();
}

/** A message as gRPC frames it: one byte that says uncompressed, four for the length. */
export function grpcFramed(message: Buffer): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
}

/** The HTTP/2 headers that Envoy sends with every check, behind the pseudo headers. */
export const CHECK_HEADERS: readonly (readonly [string, string])[] = [
  ['te', 'trailers'],
  ['grpc-timeout', '250m'],
  ['content-type', 'application/grpc'],
  ['x-portcullis-resource', 'from-route'],
  ['x-envoy-internal', 'true'],
  ['x-forwarded-for', '192.0.2.2'],
  ['x-envoy-expected-rq-timeout-ms', '250'],
];

export const CHECK_PATH = '/envoy.service.auth.v3.Authorization/Check';

interface Peer {
  readonly address: string;
  readonly port: number;
  readonly principal: string;
  readonly certificate?: string;
}

function peer(w: Writer, { address, port, principal, certificate }: Peer): void {
  w.message(1, () => {
    w.message(1, () => {
      w.string(2, address);
      w.varint(3, port);
    });
  });
  w.string(4, principal);
  if (certificate !== undefined) w.string(5, encodeURIComponent(certificate));
}

function http(w: Writer, { resource, headers }: CheckContent): void {
  w.string(1, '13265532359737351103');
  w.string(2, 'GET');
  w.string(4, '/invoices/2026/06/117?page=2');
  w.string(5, `${resource}.internal`);
  w.string(6, 'https');
  w.string(10, 'HTTP/2');
  w.message(13, () => {
    for (const [name, value] of HEADERS[headers]) {
      w.message(1, () => {
        w.string(1, name);
        w.string(3, value);
      });
    }
  });
}

/** Our generated configuration passes on the few headers that are read; without that list Envoy sends all there are. */
const FEW = [
  ['accept', 'application/json'],
  ['content-type', 'application/json'],
] as const;
const HEADERS = {
  'as generated': FEW,
  ten: [
    ...FEW,
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ['accept-language', 'en-GB,en;q=0.7,de;q=0.3'],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['cookie', 'session=7f3c2e1a9b8d4c5f6a7b8c9d0e1f2a3b; theme=dark'],
    ['x-request-id', '5c1c2a52-7f0b-4f43-a53e-b3a4c7f7ed57'],
    ['x-forwarded-for', '192.0.2.17'],
    ['x-forwarded-proto', 'https'],
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ],
} as const;
