import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueClient, issueServer, makeCa, newKeys, type Credential } from '../../src/demo/certificates.js';
import { parseDn } from '../../src/domain/dn.js';
import type { PersonId, ResourceName } from '../../src/domain/names.js';
import { ACCESS } from '../../src/domain/resource.js';
import type { Subject } from '../../src/domain/subject.js';
import { after, days, hours, type Instant } from '../../src/domain/time.js';
import { fillFolder, grantIdAt, type Grantee } from '../fill.js';

/** Something behind Envoy, and how many users have a grant for it. */
export interface Behind {
  readonly name: string;
  readonly kind: 'gate' | 'tcp' | 'http';
  readonly upstream: number;
  /** Where Envoy listens for it; for HTTP the port of all. */
  readonly port: number;
  /** Users from number 0 on that have a grant. */
  readonly users: number;
}

export type CutsHome = Awaited<ReturnType<typeof makeCutsHome>>;

/** The name in the certificate of user number k. */
const uriOf = (user: number) => `spiffe://corp/user-${user}`;

/**
 * A folder to serve from, with a grant of its own for each user and resource, and nobody's grant covers another's: what is
 * revoked is cut, and no other grant takes over.
 */
export async function makeCutsHome(behind: readonly Behind[], adminPort: number, contactGraceSeconds = 15) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-cuts-'));
  const file = (name: string) => join(folder, name);
  for (const name of ['policy', 'keys', 'run', 'log']) mkdirSync(file(name), { mode: 0o700 });
  // Long enough for an Envoy whose clock is wrong.
  const now = Date.now() as Instant;
  const validity = { validFrom: after(now, days(-1)), validUntil: after(now, days(7)) };
  const ca = makeCa({ subject: parseDn('CN=cuts'), ...validity });
  const server = issueServer(ca, [{ dns: 'localhost' }], { subject: [], ...validity });
  writeFileSync(file('ca.crt'), ca.pem);
  writeFileSync(file('server.crt'), server.pem);
  writeFileSync(file('server.key'), server.keyPem, { mode: 0o600 });
  writeFileSync(file('policy/policy.yaml'), policiesFor(behind));
  writeFileSync(file('portcullis.yaml'), configuration(adminPort, contactGraceSeconds));
  const first = new Map<string, number>();
  const grantees: Grantee[] = [];
  for (const { name, users } of behind) {
    first.set(name, grantees.length);
    for (let user = 0; user < users; user++) grantees.push(granteeOf(user, name));
  }
  const grantee = (n: number) => grantees[n]!;
  // Born an hour ago, a millisecond apart.
  const start = (now - hours(1) - grantees.length) as Instant;
  await fillFolder(file('data'), file('keys/store.key'), { count: grantees.length, start, history: false, grantee });
  // One key pair for all: ten thousand would take a while, and only the certificates count.
  const keys = newKeys();
  const made = new Map<string, Credential>();
  const credentialOf = (uri: string): Credential => {
    const known = made.get(uri) ?? issueClient(ca, [{ uri }], { subject: [], keys, ...validity });
    made.set(uri, known);
    return known;
  };
  return {
    folder,
    file,
    ca,
    /** Who approves. */
    reviewer: credentialOf('spiffe://corp/bob'),
    credentialOf: (user: number) => credentialOf(uriOf(user)),
    grantOf: (user: number, resource: string) => grantIdAt(start, first.get(resource)! + user, grantee),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function granteeOf(user: number, resource: string): Grantee {
  const subject = `corp/${uriOf(user)}`;
  return {
    subject: subject as Subject,
    person: subject as PersonId,
    resource: resource as ResourceName,
    actions: [ACCESS],
    patterns: {},
  };
}

const configuration = (adminPort: number, contactGrace: number): string => `listen:
  authz: unix:./run/authz.sock
  guard: unix:./run/guard.sock
  admin: { address: "127.0.0.1:${adminPort}", tls: { cert: ./server.crt, key: ./server.key, ca: ./ca.crt } }
  adminSocket: unix:./run/admin.sock
  metrics: unix:./run/metrics.sock
data: ./data
trust: [{ name: corp, ca: ./ca.crt }]
policy: ./policy
gate: gate
guard: { contactGrace: ${contactGrace}s }
storage: { macKey: ./keys/store.key, allowVolatile: true }
`;

function policiesFor(behind: readonly Behind[]): string {
  const entries = behind.map(({ name, kind, upstream, port }) =>
    kind === 'http'
      ? `  ${name}: { labels: { env: prod }, http: { authority: [${name}.internal], upstream: "127.0.0.1:${upstream}" } }`
      : `  ${name}: { labels: { env: prod }, tcp: { port: ${port}, upstream: "127.0.0.1:${upstream}", gate: ${kind === 'gate'} } }`,
  );
  return `people:
  bob: { subjects: ["spiffe://corp/bob"] }
groups: { sre: [bob] }
resources:
${entries.join('\n')}
policies:
  prod-data:
    who: { subjects: ["spiffe://corp/**"] }
    what: { labels: { env: prod } }
    duration: { default: 1h, max: 7d }
    justification: optional
    approval: [{ count: 1, from: { groups: [sre] } }]
`;
}
