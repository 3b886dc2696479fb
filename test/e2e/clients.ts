import { request as httpsRequest } from 'node:https';
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Credential } from '../../src/demo/certificates.js';

/** Who connects, to where. Without a credential no client certificate is shown. */
export interface Peer {
  readonly port: number;
  /** PEM of the CA that has signed Envoy's certificate. */
  readonly ca: string;
  readonly credential?: Pick<Credential, 'pem' | 'keyPem'> | null;
  /** SNI. */
  readonly serverName?: string;
  /** The one version of TLS that the client speaks; each it knows where none is given. */
  readonly version?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

export interface Wish {
  readonly authority: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Each answer in this time, or the test fails with a word of it. */
const PATIENCE_MS = 10_000;

function tlsOptions({
  port,
  ca,
  credential,
  serverName = 'localhost',
  version,
}: Peer): ConnectionOptions & { port: number } {
  const own = credential ? { cert: credential.pem, key: credential.keyPem } : {};
  // Without the lower security level the client itself would refuse the old versions.
  const only = version ? { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } : {};
  return { host: '127.0.0.1', port, ca, servername: serverName, ...own, ...only };
}

/** One HTTP/1.1 request on a connection of its own. */
export function http1(
  peer: Peer,
  { authority, method = 'GET', path = '/', headers = {}, body }: Wish,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { ...tlsOptions(peer), method, path, agent: false, headers: { ...headers, host: authority } };
    const request = httpsRequest(options, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body);
  });
}

/** An HTTP/2 connection, for many requests. */
export function openHttp2(peer: Peer): ClientHttp2Session {
  const { port, ...options } = tlsOptions(peer);
  const session = connectHttp2(`https://127.0.0.1:${port}`, options);
  session.on('error', () => undefined);
  return session;
}

/** Trailers, where there are some, are among the headers of the answer. */
export function http2(
  session: ClientHttp2Session,
  { authority, method = 'GET', path = '/', headers = {}, body }: Wish,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': authority, ':method': method, ':path': path, ...headers });
    let got: IncomingHttpHeaders = {};
    let text = '';
    stream.on('response', (received) => (got = { ...got, ...received }));
    stream.on('trailers', (received) => (got = { ...got, ...received }));
    stream.on('data', (data: Buffer) => (text += data.toString()));
    stream.on('end', () => resolve({ status: Number(got[':status']), headers: got, body: text }));
    stream.on('error', reject);
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error('no answer in time')));
    stream.end(body);
  });
}

/** A raw connection that collects what comes. */
export interface RawConnection {
  readonly socket: TLSSocket;
  received(): string;
  /** Resolves when the connection has ended, with the code of its error or null. */
  readonly closed: Promise<string | null>;
  isClosed(): boolean;
}

/** mTLS with nothing above it. `alpn` only where the server is to choose HTTP. */
export function openTcp(peer: Peer, alpn: readonly string[] = []): RawConnection {
  const socket = connectTls({ ...tlsOptions(peer), ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }) });
  let text = '';
  let error: string | null = null;
  let done = false;
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  socket.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? cause.message));
  const closed = new Promise<string | null>((resolve) => {
    socket.once('close', () => {
      done = true;
      resolve(error);
    });
  });
  return { socket, received: () => text, closed, isClosed: () => done };
}

/** Sends bytes as they are, for what no HTTP library would send, and leaves the connection open. */
export function rawStream(peer: Peer, request: string): RawConnection {
  const connection = openTcp(peer, ['http/1.1']);
  connection.socket.write(Buffer.from(request, 'latin1'));
  return connection;
}

/** The same to its end: everything that came until the server closed. */
export async function rawHttp(peer: Peer, request: string): Promise<string> {
  const connection = rawStream(peer, request);
  const timer = setTimeout(() => connection.socket.destroy(), PATIENCE_MS);
  await connection.closed;
  clearTimeout(timer);
  return connection.received();
}

/** Opens a WebSocket as far as its handshake; what is written afterwards is the frames. */
export function openWebSocket(peer: Peer, authority: string, path = '/'): RawConnection {
  const key = Buffer.alloc(16).toString('base64');
  const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
  return rawStream(peer, `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n${upgrade}\r\n\r\n`);
}
