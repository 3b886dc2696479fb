import { chmodSync, closeSync, copyFileSync, cpSync, fsyncSync, mkdirSync, mkdtempSync } from 'node:fs';
import { openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueClient, issueServer, makeCa, newKeys, type Credential } from '../../src/demo/certificates.js';
import { parseDn } from '../../src/domain/dn.js';
import { days, type Instant } from '../../src/domain/time.js';
import type { GrantId } from '../../src/domain/ids.js';
import { grantIdAt } from '../fill.js';
import { CACHE } from './cache.js';
import { checkBytes, type CheckContent } from './check-bytes.js';
import { filledWith } from './filled.js';
import { PEOPLE, RESOURCES, uriOf } from './names.js';

/** A folder to serve from, with a store of its own, for one run of a benchmark. */
export interface Home {
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly ca: Credential;
  /** The certificate of user number k; one that nobody was granted anything for beyond the users of the store. */
  readonly certificateOf: (user: number) => Credential;
  /** The check of user number k for a resource, without the frame of gRPC. */
  readonly check: (user: number, over?: Partial<CheckContent>) => Buffer;
  /** The id of grant number n: see names.ts for whom and for what. */
  readonly grantId: (n: number) => GrantId;
  remove(): void;
}

export interface HomeOptions {
  readonly grants: number;
  readonly now: Instant;
  readonly decisionLog?: 'grouped' | 'strict';
  /** Where the HTTP resources lie. */
  readonly upstreamPort?: number;
}

/** Writes everything a service is configured with. The data is a copy, on disk before anything is measured. */
export async function makeHome({ grants, now, decisionLog = 'grouped', upstreamPort = 1 }: HomeOptions): Promise<Home> {
  const filled = await filledWith(grants, now);
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'run-'));
  const file = (name: string) => join(folder, name);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Also where a benchmark ends by an error: it may hold gigabytes.
  process.once('exit', remove);
  for (const name of ['policy', 'keys', 'run', 'log', 'envoy']) mkdirSync(file(name), { mode: 0o700 });
  cpSync(filled.data, file('data'), { recursive: true });
  for (const name of ['data/data.mdb', 'data']) synced(file(name));
  copyFileSync(filled.macKey, file('keys/store.key'));
  chmodSync(file('keys/store.key'), 0o400);
  const validity = { validFrom: (now - days(1)) as Instant, validUntil: (now + days(7)) as Instant };
  const ca = makeCa({ subject: parseDn('CN=benchmark'), ...validity });
  const server = issueServer(ca, [{ dns: 'localhost' }], { subject: parseDn('CN=localhost'), ...validity });
  writeFileSync(file('ca.crt'), ca.pem);
  writeFileSync(file('server.crt'), server.pem);
  writeFileSync(file('server.key'), server.keyPem, { mode: 0o600 });
  writeFileSync(file('policy/policy.yaml'), policies(upstreamPort));
  writeFileSync(file('portcullis.yaml'), configuration(decisionLog));
  // One key pair for all: only the bytes of a certificate count here, and a pair each would take minutes.
  const keys = newKeys();
  const certificateOf = remembered((user) =>
    issueClient(ca, [{ uri: uriOf(user) }], { subject: [], keys, ...validity }),
  );
  return {
    folder,
    file,
    ca,
    certificateOf,
    check: (user, over = {}) =>
      checkBytes({
        certificate: certificateOf(user).pem,
        principal: uriOf(user),
        resource: 'resource-0',
        headers: 'ten',
        ...over,
      }),
    grantId: (n) => grantIdAt(filled.start, n),
    remove,
  };
}

function remembered<T>(make: (n: number) => T): (n: number) => T {
  const made = new Map<number, T>();
  return (n) => {
    const known = made.get(n) ?? make(n);
    made.set(n, known);
    return known;
  };
}

/** A commit of the service would otherwise have to wait until the whole copy is on disk. */
function synced(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const configuration = (decisionLog: string): string => `listen:
  authz: unix:./run/authz.sock
  admin: { address: "127.0.0.1:0", tls: { cert: ./server.crt, key: ./server.key, ca: ./ca.crt } }
  adminSocket: unix:./run/admin.sock
  metrics: unix:./run/metrics.sock
data: ./data
trust: [{ name: corp, ca: ./ca.crt, names: ["spiffe://corp/**"] }]
policy: ./policy
storage: { macKey: ./keys/store.key, allowVolatile: true }
decisions: { log: ${decisionLog} }
`;

/** Two hundred people, fifty resources with two actions each, and everybody of the trust domain may ask for reading. */
function policies(upstreamPort: number): string {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
  return `people:
${numbers(PEOPLE)
  .map((n) => `  user-${n}: { subjects: ["${uriOf(n)}"] }`)
  .join('\n')}
  bob: { subjects: ["spiffe://corp/bob"] }
groups:
  dev: [${numbers(PEOPLE)
    .map((n) => `user-${n}`)
    .join(', ')}]
  sre: [bob]
resources:
${numbers(RESOURCES).map(resource(upstreamPort)).join('\n')}
policies:
  prod-data:
    who: { groups: [dev], subjects: ["spiffe://corp/**"] }
    what: { labels: { env: prod } }
    duration: { default: 1h, max: 7d }
    approval: [{ count: 1, from: { groups: [sre] } }]
roles:
  operator: { people: [bob] }
`;
}

const resource = (port: number) => (n: number) =>
  `  resource-${n}:
    labels: { env: prod, kind: http }
    http: { authority: [resource-${n}.internal], upstream: "127.0.0.1:${port}" }
    actions: { read: ["GET /**"], write: ["POST /**", "PUT /**"] }`;
