import { Agent, request } from 'node:https';
import { connect, type ConnectionOptions } from 'node:tls';
import type { Home } from '../scene/home.js';
import { Http2Connection } from '../load/http2.js';
import type { Send } from '../load/paced.js';
import { WORD } from './upstream.js';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

/** A client with a certificate. h2load shows none, so both are our own. */
export interface Client {
  /** Right is the answer of the upstream. */
  readonly send: Send;
  close(): void;
}

/** Connections of a client: as many streams as are needed on two of HTTP/2, or up to so many of HTTP/1.1. */
const CONNECTIONS = { 'HTTP/1.1': 32, 'HTTP/2': 2 } as const;

const AUTHORITY = 'resource-0.internal';
const PATH = '/invoices/2026/06/117?page=2';

export function openClient(home: Home, port: number, protocol: Protocol): Promise<Client> {
  const { pem: cert, keyPem: key } = home.certificateOf(0);
  const tls = { host: '127.0.0.1', port, ca: home.ca.pem, cert, key, servername: 'localhost' };
  switch (protocol) {
    case 'HTTP/1.1':
      return Promise.resolve(http1(tls));
    case 'HTTP/2':
      return http2(tls);
  }
}

type Tls = ConnectionOptions & { readonly host: string; readonly port: number };

function http1(tls: Tls): Client {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: CONNECTIONS['HTTP/1.1'] });
  const headers = { host: AUTHORITY, accept: 'application/json' };
  return {
    send: (_n, answered) => {
      const call = request({ agent, host: tls.host, port: tls.port, path: PATH, headers }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => answered(response.statusCode === 200 && text === WORD));
      });
      call.on('error', () => answered(false));
      call.end();
    },
    close: () => agent.destroy(),
  };
}

const NOTHING = Buffer.alloc(0);

async function http2(tls: Tls): Promise<Client> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS['HTTP/2'] }, () => connected(tls)));
  return {
    send: (n, answered) =>
      connections[n % connections.length]!.ask(NOTHING, (body) => answered(body.toString() === WORD)),
    close: () => connections.forEach((connection) => connection.close()),
  };
}

function connected(tls: Tls): Promise<Http2Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...tls, ALPNProtocols: ['h2'] });
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(new Http2Connection(socket, HEADERS, reject)));
  });
}

const HEADERS = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', AUTHORITY],
  [':path', PATH],
  ['accept', 'application/json'],
] as const;
