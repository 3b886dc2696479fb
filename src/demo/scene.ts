import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDn } from '../domain/dn.js';
import { days, type Instant } from '../domain/time.js';
import { createMacKey } from '../store/mac-key.js';
import { issueClient, issueServer, makeCa, type Credential } from './certificates.js';

/** Where everything of one demo lies. */
export interface Scene {
  readonly folder: string;
  /** `file('run/authz.sock')`: a path inside the folder. */
  readonly file: (name: string) => string;
  readonly ports: Ports;
}

/** Free ports on loopback, chosen when the demo starts. */
export interface Ports {
  readonly http: number;
  readonly database: number;
  readonly envoyAdmin: number;
  readonly admin: number;
  readonly metrics: number;
  /** Of the two upstreams, which only Envoy should reach. */
  readonly webUpstream: number;
  readonly databaseUpstream: number;
}

/** Who plays: alice asks, bob reviews, carol operates. */
const PEOPLE = ['alice', 'bob', 'carol'] as const;
export type Player = (typeof PEOPLE)[number];

/** Writes what a user would have: certificates, keys, configuration, policies, and a context for each person. */
export function setScene(scene: Scene, now: Instant): void {
  for (const name of ['keys', 'policy', 'log', 'run']) mkdirSync(scene.file(name), { recursive: true, mode: 0o700 });
  writeCertificates(scene, now);
  createMacKey(scene.file('keys/store.key'));
  writeFileSync(scene.file('portcullis.yaml'), configuration(scene.ports));
  writeFileSync(scene.file('policy/demo.yaml'), policies(scene.ports));
  for (const player of PEOPLE) writeFileSync(scene.file(`${player}.yaml`), context(player, scene.ports));
}

export function sceneIn(folder: string, ports: Ports): Scene {
  return { folder, ports, file: (name) => join(folder, name) };
}

function writeCertificates({ file }: Scene, now: Instant): void {
  const validity = { validFrom: (now - days(1)) as Instant, validUntil: (now + days(7)) as Instant };
  const ca = makeCa({ subject: parseDn('CN=demo CA'), ...validity });
  writeFileSync(file('ca.crt'), ca.pem);
  const loopback = [{ dns: 'localhost' }, { ip: Uint8Array.of(127, 0, 0, 1) }];
  write('server', issueServer(ca, loopback, { subject: parseDn('CN=localhost'), ...validity }));
  for (const player of PEOPLE) {
    write(
      player,
      issueClient(ca, [{ uri: `spiffe://demo/${player}` }], { subject: parseDn(`CN=${player}`), ...validity }),
    );
  }

  function write(name: string, { pem, keyPem }: Credential): void {
    writeFileSync(file(`${name}.crt`), pem);
    writeFileSync(file(`${name}.key`), keyPem, { mode: 0o600 });
  }
}

const configuration = (ports: Ports): string => `# The service of the demo. Everything is on loopback.
listen:
  authz: unix:./run/authz.sock
  admin: { address: "127.0.0.1:${ports.admin}", tls: { cert: ./server.crt, key: ./server.key, ca: ./ca.crt } }
  adminSocket: unix:./run/admin.sock
  metrics: 127.0.0.1:${ports.metrics}
data: ./data
trust:
  - { name: demo, ca: ./ca.crt, names: ["spiffe://demo/**"] }
policy: ./policy
gate: gate
storage: { macKey: ./keys/store.key, allowVolatile: true }
envoy:
  address: 127.0.0.1
  httpPort: ${ports.http}
  tls: { cert: ./server.crt, key: ./server.key }
  admin: 127.0.0.1:${ports.envoyAdmin}
  accessLog: ./log/access.log
  publicHost: localhost
`;

const policies = (
  ports: Ports,
): string => `# alice may ask for both resources, bob approves, carol looks after everything.
people:
  alice: { subjects: ["spiffe://demo/alice"] }
  bob:   { subjects: ["spiffe://demo/bob"] }
  carol: { subjects: ["spiffe://demo/carol"] }
groups:
  dev: [alice]
  sre: [bob]
resources:
  billing-api:
    description: An HTTP service
    labels: { env: demo }
    http: { authority: [localhost, 127.0.0.1], upstream: "127.0.0.1:${ports.webUpstream}" }
  orders-db:
    description: A TCP service that speaks first, as MySQL and SSH do
    labels: { env: demo }
    tcp: { port: ${ports.database}, upstream: "127.0.0.1:${ports.databaseUpstream}" }
policies:
  demo:
    who: { groups: [dev] }
    what: { labels: { env: demo } }
    duration: { default: 1m, max: 1h }
    justification: required
    approval:
      - { count: 1, from: { groups: [sre] } }
roles:
  operator: { people: [carol] }
  auditor: { people: [carol] }
`;

const context = (player: Player, ports: Ports): string => `# portcullis --context ${player}.yaml …
url: https://127.0.0.1:${ports.admin}
ca: ./ca.crt
cert: ./${player}.crt
key: ./${player}.key
via: localhost
`;
