import { Agent, request as httpsRequest } from 'node:https';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { httpsOptions } from '../../src/admin/door.js';
import { issueClient, issueServer, makeCa, type Credential } from '../../src/demo/certificates.js';
import { parseDn } from '../../src/domain/dn.js';
import { after, days, type Instant } from '../../src/domain/time.js';
import { createIdentifier } from '../../src/identity/identify.js';
import { corp, T0 } from '../builders.js';
import { answered, type Answered, type CallWith } from './scene.js';

// The service goes by the clock of the test, the TLS client of the platform by the real one: valid for both.
const validity = { validFrom: (T0 - days(1)) as Instant, validUntil: after(T0, days(3_650)) };

/** A CA of the trust entry `corp`, one that nobody trusts, and what a TLS door needs. */
export function certificates() {
  const ca = makeCa({ subject: parseDn('CN=corp CA'), ...validity });
  const stranger = makeCa({ subject: parseDn('CN=corp CA'), ...validity });
  const server = issueServer(ca, [{ dns: 'localhost' }], { subject: parseDn('CN=localhost'), ...validity });
  const entry = { name: corp, subject: ['uri'], names: null } as const;
  return {
    ca,
    door: { kind: 'tls', https: httpsOptions({ cert: server.pem, key: server.keyPem, ca: [ca.pem] }) } as const,
    identifier: createIdentifier({ trust: [{ entry, ca: ca.pem }], capacity: 100 }),
    /** A client certificate for `spiffe://corp/<name>`. */
    client: (name: string, over: Partial<typeof validity> = {}) =>
      issueClient(ca, [{ uri: `spiffe://corp/${name}` }], { subject: parseDn(`CN=${name}`), ...validity, ...over }),
    /** The same name from the CA that nobody trusts. */
    forged: (name: string) =>
      issueClient(stranger, [{ uri: `spiffe://corp/${name}` }], { subject: parseDn(`CN=${name}`), ...validity }),
  };
}

/** Starts to listen on loopback, at a free port; gives the port. */
export async function listenOn(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** A caller over TLS with this client certificate, or with none. Keeps its connection; close it at the end. */
export function tlsCaller(port: number, ca: Credential, client: Credential | null) {
  const credential = client && { cert: client.pem, key: client.keyPem };
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.pem, servername: 'localhost', ...credential });
  return {
    call: (method: string, path: string, call?: CallWith) =>
      send((options) => httpsRequest({ host: '127.0.0.1', port, agent, ...options }), method, path, call),
    close: () => agent.destroy(),
  };
}

/** One call over a Unix socket. */
export function socketCall(socketPath: string, method: string, path: string, call?: CallWith): Promise<Answered> {
  return send((options) => httpRequest({ socketPath, ...options }), method, path, call);
}

function send(
  start: (options: { method: string; path: string; headers: Record<string, string> }) => ReturnType<typeof httpRequest>,
  method: string,
  path: string,
  { body, headers }: CallWith = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const length = { 'content-length': String(Buffer.byteLength(payload ?? '')) };
    const call = start({ method, path, headers: { ...type, ...length, ...headers } });
    call.on('error', reject);
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve(answered(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString('utf8'))),
      );
      response.on('error', reject);
    });
    call.end(payload);
  });
}
