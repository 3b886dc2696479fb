import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HARD_CEILING } from '../../src/domain/durations.js';
import type { ResourceName } from '../../src/domain/names.js';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import type { ServiceTarget, EnvoyOptions } from '../../src/envoy-config/options.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { billingApi, ordersDb, resource } from '../builders.js';
import { guardOfThis } from '../guard/wasm.js';
import { http1, openTcp, type Peer } from './clients.js';
import { envoysForTests, expectFree, startEnvoy, until, validate, type RunningEnvoy } from './envoy.js';
import { makeCertificates, readLog, scratchFolder, startService, type Service } from './envoy-scene.js';
import { toStatic } from './envoy-static.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const EXAMPLES = ['http.yaml', 'tcp-gate.yaml', 'tcp.yaml'];

/** The ports of the examples: two runs on one machine disturb each other, and say so. */
const PORTS = { http: 18_443, gate: 15_432, tcp: 15_434, web: 18_080, db: 15_433, admins: [19_901, 19_902, 19_903] };

describe.skipIf(missing !== '')(`the examples in a real Envoy${missing && ` (${missing})`}`, () => {
  let scratch: ReturnType<typeof scratchFolder>;
  let folder: string;
  const certificates = makeCertificates();

  beforeAll(() => {
    scratch = scratchFolder();
    folder = scratch.folder;
    cpSync('envoy', folder, { recursive: true });
    for (const name of ['certs', 'log', 'run']) mkdirSync(join(folder, name));
    const { server, ca } = certificates;
    writeFileSync(join(folder, 'guard.wasm'), guardOfThis());
    writeFileSync(join(folder, 'certs/server.crt'), server.pem);
    writeFileSync(join(folder, 'certs/server.key'), server.keyPem);
    writeFileSync(join(folder, 'certs/ca.crt'), ca.pem);
  });
  afterAll(() => scratch?.remove());

  describe.each(envoys)('Envoy $version finds sound', ({ command }) => {
    test.for(EXAMPLES)('envoy/%s', async (name) => {
      expect(await validate(command, name, folder)).toBe('');
    });

    test.for([
      ['with the service on a Unix socket', { kind: 'unix', path: 'run/authz.sock' }],
      [
        'with the service over TCP',
        { kind: 'tcp', host: '127.0.0.1', port: 8182, tls: clientTls('spiffe://corp/portcullis') },
      ],
      [
        'with the service by its name',
        { kind: 'tcp', host: 'portcullis.internal', port: 8182, tls: clientTls('portcullis.internal') },
      ],
    ] as [string, ServiceTarget][])('what is generated %s: the bootstrap, and all of it', async ([, target]) => {
      const generated = generateEnvoyConfig(MANY, { ...OPTIONS, authz: target, guard: target, folder: '.' });
      await writeEnvoyConfig(folder, generated, guardOfThis());
      // This reads the bootstrap alone: the rest is not looked at before Envoy runs.
      expect(await validate(command, 'bootstrap.yaml', folder)).toBe('');
      writeFileSync(
        join(folder, 'all.yaml'),
        stringify(toStatic(generated.files), {
          aliasDuplicateObjects: false,
          defaultStringType: 'QUOTE_DOUBLE',
          defaultKeyType: 'PLAIN',
        }),
      );
      expect(await validate(command, 'all.yaml', folder)).toBe('');
    });

    test('and not everything: a word that it does not know is refused', async () => {
      writeFileSync(join(folder, 'broken.yaml'), 'static_resources: { listeners: [{ nonsense: 1 }] }\n');
      expect(await validate(command, 'broken.yaml', folder)).toContain('nonsense');
    });
  });

  describe.each(envoys)('used as they are, in Envoy $version', ({ command }) => {
    let web: HttpUpstream;
    let db: TcpUpstream;
    let service: Service;
    let envoy: RunningEnvoy | null = null;

    beforeAll(async () => {
      await expectFree(PORTS.http, PORTS.gate, PORTS.tcp, ...PORTS.admins);
      [web, db] = [await httpUpstream(PORTS.web), await tcpUpstream(PORTS.db)];
      const resources = [resource({ name: billingApi }), resource({ name: ordersDb })];
      service = await startService({
        target: `unix:${folder}/run/authz.sock`,
        guardSocket: `${folder}/run/guard.sock`,
        resources,
        ca: certificates.ca.pem,
      });
      for (const { name } of resources) await service.grant({ resource: name });
    });
    afterEach(() => envoy?.stop());
    afterAll(async () => {
      await service?.stop();
      await Promise.all([web?.close(), db?.close()]);
    });
    const start = async (config: string, admin: number, listeners: string[]) => {
      envoy = await startEnvoy({ command, config, folder, admin, listeners });
    };
    const peer = (port: number, name = 'alice'): Peer => ({
      port,
      ca: certificates.ca.pem,
      credential: certificates.client(name),
    });
    const logged = (fits: (line: Readonly<Record<string, unknown>>) => boolean) =>
      until(() => readLog(join(folder, 'log/access.log')).some(fits), 'a line in the access log');

    test('http.yaml', async () => {
      await start('http.yaml', PORTS.admins[0]!, ['http']);
      const wish = { authority: 'billing.internal', path: '/example?secret' };
      expect((await http1(peer(PORTS.http), wish)).status).toBe(200);
      expect((await http1(peer(PORTS.http, 'mallory'), wish)).status).toBe(403);
      expect((await http1(peer(PORTS.http), { authority: 'other.internal' })).status).toBe(403);
      expect(web.arrived).toHaveLength(1);
      await logged(({ path, status, grant_id }) => path === '/example' && status === 200 && grant_id !== null);
    });

    test('tcp-gate.yaml', async () => {
      await start('tcp-gate.yaml', PORTS.admins[1]!, ['tcp-orders-db', 'gate']);
      const before = db.accepts();
      const denied = openTcp(peer(PORTS.gate, 'mallory'));
      await denied.closed;
      expect([denied.received(), db.accepts()]).toEqual(['', before]);
      const allowed = openTcp(peer(PORTS.gate));
      await until(() => allowed.received() === '220 banner\n', 'the banner');
      allowed.socket.destroy();
      await logged(({ listener, grant_id }) => listener === 'gate' && grant_id !== null);
    });

    test('tcp.yaml', async () => {
      await start('tcp.yaml', PORTS.admins[2]!, ['tcp-orders-db']);
      const before = db.accepts();
      const denied = openTcp(peer(PORTS.tcp, 'mallory'));
      denied.socket.write('hello');
      expect(await denied.closed).toBe('ERR_SSL_TLSV1_ALERT_ACCESS_DENIED');
      expect([denied.received(), db.accepts()]).toEqual(['', before]);
      const allowed = openTcp(peer(PORTS.tcp));
      allowed.socket.write('hello');
      await until(() => allowed.received() === '220 banner\nhello', 'banner and echo');
      allowed.socket.destroy();
      await logged(({ event, grant_id }) => event === 'TcpConnectionEnd' && grant_id !== null);
    });
  });
});

function clientTls(name: string) {
  return { ca: 'certs/ca.crt', cert: 'certs/server.crt', key: 'certs/server.key', name };
}

const OPTIONS: EnvoyOptions = {
  address: '127.0.0.1',
  httpPort: 8443,
  admin: { kind: 'tcp', host: '127.0.0.1', port: 9901 },
  server: { cert: 'certs/server.crt', key: 'certs/server.key' },
  clientCa: 'certs/ca.crt',
  accessLog: 'log/generated.log',
  authz: { kind: 'unix', path: 'run/authz.sock' },
  guard: { kind: 'unix', path: 'run/guard.sock' },
  guardWasm: 'guard.wasm',
  gate: 'gate',
  folder: '.',
  maxSession: HARD_CEILING,
};

/** Every kind of resource, with names that a reader of YAML could take for numbers or truth. */
const MANY = ['api', 'on', 'no', '1e3', '0x1f', '017', 'null', 'a.b_c-d', 'x'.repeat(63)].map((name, i) =>
  resource({
    name: name as ResourceName,
    http: {
      authority: [`h${i}.internal`, `[::${i}]`, `${i}.example`],
      upstream: i % 2 ? '[::1]:8080' : 'web.internal:80',
    },
    tcp: {
      port: 20_000 + i,
      gate: i % 3 > 0,
      sni: i % 2 ? `s${i}.internal` : null,
      upstream: i % 2 ? 'db.internal:5432' : '127.0.0.1:5432',
    },
  }),
);
