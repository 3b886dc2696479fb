import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { publishing } from '../../src/access/feed.js';
import { Holds } from '../../src/access/hold.js';
import { createRecorder } from '../../src/access/recorder.js';
import { createCore } from '../../src/authz/core.js';
import { serveAuthz } from '../../src/authz/server.js';
import { issueClient, issueServer, makeCa, type Credential } from '../../src/demo/certificates.js';
import { parseDn } from '../../src/domain/dn.js';
import { longestHolds } from '../../src/domain/hold.js';
import type { Policy } from '../../src/domain/policy.js';
import type { Resource } from '../../src/domain/resource.js';
import type { SubjectPattern } from '../../src/domain/subject-pattern.js';
import { SUBJECT_KINDS } from '../../src/domain/subject.js';
import { after, days } from '../../src/domain/time.js';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import type { ServiceTarget } from '../../src/envoy-config/options.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { CertificateEnds } from '../../src/guard/certificate-ends.js';
import type { GuardListener } from '../../src/guard/server.js';
import { createIdentifier } from '../../src/identity/identify.js';
import { memoryStore } from '../../src/store/memory.js';
import { corp, policy, policySet, T0 } from '../builders.js';
import { decodeCheckRequest, type CheckRequestObject } from '../check-requests.js';
import { openGuardSide } from '../guard-service/side.js';
import { guardOfThis } from '../guard/wasm.js';
import { world } from '../world.js';
import type { Peer } from './clients.js';
import { envoyOptions } from './envoy-options.js';
import { freePorts, startEnvoy, until, type EnvoyBinary } from './envoy.js';

/** Valid for the service, whose clock stands at T0, and for Envoy, which has the real one. */
export const VALIDITY = { validFrom: after(T0, days(-1)), validUntil: after(T0, days(3_650)) };

/** One CA for everybody, a server certificate for loopback, and clients by the name behind `spiffe://corp/`. */
export function makeCertificates() {
  const ca = makeCa({ subject: parseDn('CN=test'), ...VALIDITY });
  const names = [{ dns: 'localhost' }, { dns: 'named.internal' }, { ip: Uint8Array.of(127, 0, 0, 1) }];
  const server = issueServer(ca, names, { subject: [], ...VALIDITY });
  const client = (name: string, issuer: Credential = ca, validity: Partial<typeof VALIDITY> = {}) =>
    issueClient(issuer, [{ uri: `spiffe://corp/${name}` }], { subject: [], ...VALIDITY, ...validity });
  return { ca, server, client };
}

export type Certificates = ReturnType<typeof makeCertificates>;

/** A folder that is gone after the tests. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-envoy-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** One question as Envoy put it, decoded whole. */
export interface Asked extends CheckRequestObject {
  /** What the filter itself says, in gRPC metadata. */
  readonly named: readonly string[];
}

interface ServiceOptions {
  readonly target: string;
  /** Where guards come: a Unix socket. */
  readonly guardSocket: string;
  /** How they come where it is not over that socket. */
  readonly guardListener?: Partial<GuardListener>;
  readonly resources: readonly Resource[];
  readonly policies?: readonly Policy[];
  /** PEM. */
  readonly ca: string;
  readonly gate?: string | null;
  /** Without TLS where none are given. */
  readonly credentials?: ServerCredentials;
  /** Which peers may call, over TCP. */
  readonly peers?: readonly SubjectPattern[];
}

/** The real core over the memory store, with a record of what it was asked. alice asks, bob approves. */
export async function startService({
  target,
  guardSocket,
  guardListener = {},
  resources,
  policies = [policy()],
  ca,
  gate = 'gate',
  credentials = ServerCredentials.createInsecure(),
  peers = [],
}: ServiceOptions) {
  const alarms: unknown[] = [];
  const alarm = (cause: unknown) => void alarms.push(cause);
  const { store, feed } = publishing(memoryStore(), alarm);
  const w = world({ store, policies: policySet({ resources, policies }) });
  const ends = new CertificateEnds();
  const trust = [{ entry: { name: corp, subject: SUBJECT_KINDS, names: null }, ca }];
  const deciding = {
    ...w.needed,
    recorder: createRecorder({ ...w.needed, mode: 'grouped', onFailure: alarm, onUnrecorded: () => undefined }),
    closed: () => null,
    alarm,
  };
  const holds = new Holds({ ...deciding, feed, observe: { opened: () => undefined, ended: () => undefined } });
  const core = createCore({
    ...deciding,
    identifier: createIdentifier({ trust, capacity: 100 }),
    gate,
    holds,
    allowed: (decision, until) => ends.note(decision, until),
  });
  const asked: Asked[] = [];
  const recording: typeof core = (bytes, named, patience) => {
    asked.push({ ...decodeCheckRequest(bytes), named });
    return core(bytes, named, patience);
  };
  const server = await serveAuthz({ target, credentials, peers }, recording, { alarm });
  const guards = await openGuardSide({
    ...w,
    feed,
    certificateUntil: (decision) => ends.find(decision),
    listener: { target: `unix:${guardSocket}`, ...guardListener },
    alarm,
  });
  guards.side.start();
  return {
    ...w,
    asked,
    alarms,
    holds,
    guards: guards.side,
    async stop() {
      holds.close();
      await guards.close();
      await server.close(0);
    },
  };
}

export type Service = Awaited<ReturnType<typeof startService>>;
export type Line = Readonly<Record<string, unknown>>;

/** What its access log holds so far. */
export function readLog(path: string): Line[] {
  const text = readFileSync(path, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

/** What is not as usual: where Envoy and its guards look for the service, and how the service itself is set up. */
export interface Unusual {
  readonly authz?: ServiceTarget;
  readonly guard?: ServiceTarget;
  readonly service?: Partial<Omit<ServiceOptions, 'resources' | 'ca'>>;
}

/** Envoy with generated configuration in front of `resources`, and the service behind it. */
export async function startScene(
  binary: EnvoyBinary,
  resources: readonly Resource[],
  httpPort: number,
  unusual: (
    certificates: Certificates,
    file: (name: string, text: string) => string,
    folder: string,
  ) => Unusual = () => ({}),
) {
  const { folder, remove } = scratchFolder();
  for (const name of ['run', 'log']) mkdirSync(join(folder, name));
  const certificates = makeCertificates();
  const { admin } = await freePorts('admin');
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  file('server.crt', certificates.server.pem);
  file('server.key', certificates.server.keyPem);
  file('ca.crt', certificates.ca.pem);
  const { authz, guard, service: over } = unusual(certificates, file, folder);
  const at = (name: string) => join(folder, name);
  const options = { ...envoyOptions(at, { http: httpPort, admin }), ...(authz && { authz }), ...(guard && { guard }) };
  const target = `unix:${at('run/authz.sock')}`;
  const guardSocket = at('run/guard.sock');
  const start = () => startService({ target, guardSocket, ...over, resources, ca: certificates.ca.pem });
  const holds = longestHolds(policySet({ resources, policies: over?.policies ?? [] }));
  await writeEnvoyConfig(options.folder, generateEnvoyConfig(resources, { ...options, holds }), guardOfThis());
  let service = await start();
  const envoy = await startEnvoy({
    command: binary.command,
    config: 'envoy/bootstrap.yaml',
    folder,
    admin,
    listeners: resources.filter(({ tcp }) => tcp).map(({ name }) => `tcp-${name}`),
  });
  const lines = () => readLog(options.accessLog);
  return {
    envoy,
    /** The one that answers now. */
    get service() {
      return service;
    },
    stopService: () => service.stop(),
    /** Another one, in which nobody has been granted anything. */
    async startService() {
      service = await start();
    },
    options,
    certificates,
    /** Somebody who connects to `port`. */
    peer: (port: number, name: string | null = 'alice'): Peer => ({
      port,
      ca: certificates.ca.pem,
      credential: name === null ? null : certificates.client(name),
    }),
    lines,
    /** The first line that fits, as soon as it is there. */
    line: async (fits: (line: Line) => boolean): Promise<Line> => {
      await until(() => lines().some(fits), 'a line in the access log');
      return lines().find(fits)!;
    },
    async stop() {
      await envoy.stop();
      await service.stop();
      remove();
    },
  };
}

export type Scene = Awaited<ReturnType<typeof startScene>>;
