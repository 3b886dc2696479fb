import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { loadConfig } from '../src/config.js';
import type { Credential } from '../src/demo/certificates.js';
import { serve } from '../src/main.js';
import { createLog } from '../src/main/log.js';
import { createMacKey } from '../src/store/mac-key.js';
import {
  decodeAnswer,
  encodeCheckRequest,
  type AnswerObject,
  type CheckRequestObject,
  type HttpObject,
} from './check-requests.js';
import { clientOf, serverOf, testCa } from './pki.js';

/** An answer of the admin API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

/** Whoever can be asked as: a name behind `spiffe://corp/`, or `host` for the admin socket. */
export type Who = string;

/** A folder with everything a service is configured with, and certificates for people by their names. */
export function makeHome(policies: string) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-service-'));
  const file = (name: string) => join(folder, name);
  const ca = testCa('corp');
  const server = serverOf(ca);
  for (const name of ['policy', 'keys', 'log']) mkdirSync(file(name), { recursive: true });
  writeFileSync(file('ca.crt'), ca.pem);
  writeFileSync(file('server.crt'), server.pem);
  writeFileSync(file('server.key'), server.keyPem);
  writeFileSync(file('policy/policy.yaml'), policies);
  writeFileSync(file('portcullis.yaml'), CONFIG);
  createMacKey(file('keys/store.key'));
  const people = new Map<Who, Credential>();
  return {
    folder,
    file,
    ca,
    certificateOf: (who: Who): Credential => {
      const known = people.get(who) ?? clientOf(ca, `spiffe://corp/${who}`);
      people.set(who, known);
      return known;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type Home = ReturnType<typeof makeHome>;

interface ServiceOptions {
  /** Text of the policy file of a home that is made now and removed at the end. */
  readonly policies?: string;
  /** A home that is kept, so that a service can be started in it again. */
  readonly home?: Home;
  /** The machine's clock, in milliseconds. */
  readonly wall?: () => number;
}

/** The real service on this machine: LMDB in a folder of its own, gRPC on a socket, the admin API with TLS. */
export async function startService({ policies = '', home = makeHome(policies), wall = Date.now }: ServiceOptions) {
  const { folder, file, ca, certificateOf } = home;
  const end = new AbortController();
  const config = loadConfig({ file: file('portcullis.yaml'), env: {} });
  if (!config.ok) throw new Error(JSON.stringify(config.problems));
  const log = createLog({ level: 'info', version: 'test', file: file('log/service.log') });
  const running = await serve({ config: config.value, log, version: 'test', signal: end.signal, wall });
  const checks = new Client(running.addresses.authz, credentials.createInsecure());
  /** Asks as Envoy does; the filter names the resource unless the request does. */
  const ask = (attributes: Attributes, resource: string | null): Promise<AnswerObject> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      if (resource !== null) metadata.set('x-portcullis-resource', resource);
      const bytes = encodeCheckRequest({ attributes });
      checks.makeUnaryRequest(CHECK, same, decodeAnswer, bytes, metadata, (error, answer) =>
        error ? reject(error) : resolve(answer!),
      );
    });
  return {
    folder,
    file,
    ca,
    running,
    certificateOf,
    /** Calls the admin API as somebody. */
    api: (who: Who, method: string, path: string, body?: object): Promise<ApiAnswer> => {
      const [host, port] = running.addresses.admin.split(':');
      const { pem: cert, keyPem: key } = certificateOf(who);
      return who === 'host'
        ? call({ socketPath: file('run/admin.sock') }, httpRequest, { method, path, body })
        : call(
            {
              host: host!,
              port: Number(port),
              ca: ca.pem,
              cert,
              key,
              servername: 'localhost',
              agent: false,
            } as RequestOptions,
            httpsRequest,
            { method, path, body },
          );
    },
    ask,
    /** Somebody's certificate asks. */
    check: (who: Who, resource: string | null, http?: HttpObject) => {
      const certificate = encodeURIComponent(certificateOf(who).pem);
      return ask({ source: { certificate }, ...(http && { request: { http } }) }, resource);
    },
    logged: () => readFileSync(file('log/service.log'), 'utf8'),
    async stop() {
      end.abort();
      const code = await running.ended;
      checks.close();
      if (policies !== '') home.remove();
      return code;
    },
  };
}

export type TestService = Awaited<ReturnType<typeof startService>>;

type Attributes = NonNullable<CheckRequestObject['attributes']>;

const same = (bytes: Buffer) => bytes;
const CHECK = '/envoy.service.auth.v3.Authorization/Check';

const CONFIG = `listen:
  authz: unix:./run/authz.sock
  admin: { address: "127.0.0.1:0", tls: { cert: ./server.crt, key: ./server.key, ca: ./ca.crt } }
  adminSocket: unix:./run/admin.sock
  metrics: 127.0.0.1:0
data: ./data
trust: [{ name: corp, ca: ./ca.crt }]
policy: ./policy
gate: gate
storage: { macKey: ./keys/store.key, allowVolatile: true }
envoy: { publicHost: localhost }
`;

function call(
  where: RequestOptions,
  send: typeof httpRequest,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body?: object | undefined },
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const request = send({ ...where, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
        }),
      );
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}
