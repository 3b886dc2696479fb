import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpsOptions, type Door } from '../../src/admin/door.js';
import { createAdmin } from '../../src/admin/server.js';
import { issueClient, issueServer, makeCa, type Credential } from '../../src/demo/certificates.js';
import { parseActionPattern } from '../../src/domain/action-pattern.js';
import { parseDn } from '../../src/domain/dn.js';
import type { PolicySet } from '../../src/domain/policy.js';
import { after, days, type Instant } from '../../src/domain/time.js';
import { createIdentifier } from '../../src/identity/identify.js';
import { action, billingApi, corp, group, person, policy, policySet, resource, subject, T0 } from '../builders.js';
import { PlayedSessions } from '../guard-service/played-sessions.js';
import { world } from '../world.js';

// The service goes by the clock of the test, TLS by that of the machine: valid for both.
const validity = { validFrom: (T0 - days(1)) as Instant, validUntil: after(T0, days(3_650)) };

/** Everybody who plays. alice, dave and erin ask; bob and frank approve; carol operates, erin audits, ada makes tokens. */
const PLAYERS = ['alice', 'bob', 'frank', 'carol', 'dave', 'erin', 'ada', 'stranger'] as const;
export type Player = (typeof PLAYERS)[number];

/** The service as commands meet it: its API over TLS, over plain loopback and over a Unix socket, and certificates. */
export async function openService({ policies = cliPolicies() }: { readonly policies?: PolicySet } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
  const file = (name: string) => join(folder, name);
  const scene = world({ policies });
  const ca = makeCa({ subject: parseDn('CN=corp CA'), ...validity });
  const server = issueServer(ca, [{ dns: 'localhost' }, { ip: Uint8Array.of(127, 0, 0, 1) }], named('localhost'));
  writeCertificates();
  const entry = { name: corp, subject: ['uri'], names: null } as const;
  const identifier = createIdentifier({ trust: [{ entry, ca: ca.pem }], capacity: 100 });
  scene.events.start();
  const alarms: unknown[] = [];
  const sessions = new PlayedSessions();
  const open = (door: Door) =>
    createAdmin({
      needed: scene.needed,
      drafts: scene.drafts,
      sessions,
      events: scene.events,
      identifier,
      door,
      soleTrust: corp,
      publicHost: 'gate.corp.example',
      version: '0.0.0-test',
      serving: () => null,
      policiesSettled: () => true,
      randomSecret: () => randomBytes(32),
      alarm: (cause) => alarms.push(cause),
    });
  const tls = open({ kind: 'tls', https: httpsOptions({ cert: server.pem, key: server.keyPem, ca: [ca.pem] }) });
  const plain = open({ kind: 'plain' });
  const socket = open({ kind: 'socket' });
  for (const app of [tls, plain]) await app.listen({ host: '127.0.0.1', port: 0 });
  await socket.listen({ path: file('admin.sock') });
  const portOf = (app: typeof tls) => (app.server.address() as AddressInfo).port;
  const url = `https://localhost:${portOf(tls)}`;
  for (const player of PLAYERS) writeFileSync(file(`${player}.yaml`), contextOf(player, url));
  writeFileSync(file('host.yaml'), 'adminSocket: ./admin.sock\n');

  return {
    ...scene,
    sessions,
    folder,
    file,
    url,
    plainUrl: `http://127.0.0.1:${portOf(plain)}`,
    /** What the service was alarmed about: nothing, in a test that does not want it. */
    alarms,
    async close(): Promise<void> {
      for (const app of [tls, plain, socket]) await app.close();
      rmSync(folder, { recursive: true });
    },
  };

  function writeCertificates(): void {
    writeFileSync(file('ca.crt'), ca.pem);
    writeFileSync(file('other-ca.crt'), makeCa({ subject: parseDn('CN=other CA'), ...validity }).pem);
    write('server', server);
    for (const player of PLAYERS) write(player, issueClient(ca, [{ uri: `spiffe://corp/${player}` }], named(player)));
  }

  function write(name: string, { pem, keyPem }: Credential): void {
    writeFileSync(file(`${name}.crt`), pem);
    writeFileSync(file(`${name}.key`), keyPem, { mode: 0o600 });
  }
}

export type CliService = Awaited<ReturnType<typeof openService>>;

function named(name: string) {
  return { subject: parseDn(`CN=${name}`), ...validity };
}

function contextOf(player: Player, url: string): string {
  return `url: ${url}\nca: ./ca.crt\ncert: ./${player}.crt\nkey: ./${player}.key\n`;
}

/** orders-db needs one approval, vault two; billing-api has actions. */
function cliPolicies(): PolicySet {
  const sre = { people: [], groups: [group('sre')] };
  const dev = { people: [], groups: [group('dev')], subjects: [] };
  const api = resource({
    name: billingApi,
    actions: new Map([
      [action('read'), [parseActionPattern('GET /**')]],
      [action('write'), [parseActionPattern('POST /**')]],
    ]),
    http: { authority: ['billing.internal'], upstream: '10.0.0.8:8080' },
  });
  const vault = resource({ name: 'vault' as never, labels: { env: 'vault' } });
  return policySet({
    people: Object.fromEntries(PLAYERS.filter((name) => name !== 'stranger').map((name) => [name, [subject(name)]])),
    groups: { dev: ['alice', 'dave', 'erin'], sre: ['bob', 'frank'] },
    resources: [
      resource({ tcp: { port: 15_432, sni: 'orders-db.internal', upstream: '10.0.0.7:5432', gate: true } }),
      api,
      vault,
    ],
    policies: [
      policy({ who: dev, approval: { count: 1, from: sre } }),
      policy({
        name: 'two-keys' as never,
        digest: 'f'.repeat(64),
        who: dev,
        what: { resources: [], labels: { env: 'vault' }, actions: null },
        justification: 'required',
        approval: { count: 2, from: sre },
      }),
    ],
    roles: new Map([
      ['operator', { people: [person('carol')], groups: [], services: [] }],
      ['auditor', { people: [person('erin')], groups: [], services: [] }],
      ['admin', { people: [person('ada')], groups: [], services: [] }],
    ]),
  });
}
