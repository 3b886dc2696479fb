import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { billingApi, ordersDb, resource } from '../builders.js';
import { http1, openTcp, type Peer } from './clients.js';
import { envoysForTests, freePorts, until, type EnvoyBinary } from './envoy.js';
import { startScene, type Scene, type Unusual } from './envoy-scene.js';
import { generateEnvoyConfig, type FileName } from '../../src/envoy-config/generate.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const billing = { authority: 'billing.internal' };

// Not what we write: configurations by hand that go wrong. What is left then is the service's own caution.
describe.skipIf(missing !== '')(`the gate's headers and a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let web: HttpUpstream;
    let db: TcpUpstream;
    beforeAll(async () => {
      [web, db] = [await httpUpstream(), await tcpUpstream()];
    });
    afterAll(() => Promise.all([web?.close(), db?.close()]));

    test('a client that brings them is not believed, on a route that is marked like the gate either', async () => {
      const { scene, ports } = await start(binary, { web, db });
      const alice = scene.certificates.client('alice');
      const mallory = scene.peer(ports.http, 'mallory');
      const forged = { 'x-portcullis-peer': encodeURIComponent(alice.pem), 'x-portcullis-source': '127.0.0.1:1' };
      expect((await http1(scene.peer(ports.http), billing)).status).toBe(200);
      // Headers of ours go through, the service gets them, and the route says that they count.
      change(scene, 'lds.yaml', (text) =>
        text
          .replace('prefix: "x-portcullis-"', 'prefix: "x-nothing-"')
          .replace('- exact: "accept"', '- prefix: "x-portcullis-"'),
      );
      change(scene, 'rds.yaml', (text) =>
        text.replaceAll(/( +)portcullis\.resource: "billing-api"/g, '$&\n$1portcullis.identity: "gate"'),
      );
      await until(
        async () => (await asked(scene, mallory, forged)).includes('x-portcullis-peer'),
        'the changed configuration',
      );
      web.arrived.length = 0;
      const answer = await http1(mallory, { ...billing, headers: forged });
      expect([answer.status, answer.headers['x-portcullis-reason']]).toEqual([403, 'malformed']);
      expect(answer.body).toContain('must lie behind the internal listener');
      expect(web.arrived).toEqual([]);
    });

    test('a service that knows the gate by another name, or knows none, lets nobody through it', async () => {
      for (const gate of ['other', null]) {
        const { scene, ports } = await start(binary, { web, db }, () => ({ service: { gate } }));
        const before = db.accepts();
        const connection = openTcp(scene.peer(ports.orders));
        await connection.closed;
        expect([connection.received(), db.accepts()]).toEqual(['', before]);
        const { attributes } = scene.service.asked.at(-1)!;
        expect(attributes?.contextExtensions?.['portcullis.identity']).toBe('gate');
      }
    });
  });
});

async function start(
  binary: EnvoyBinary,
  { web, db }: { readonly web: HttpUpstream; readonly db: TcpUpstream },
  unusual?: () => Unusual,
) {
  const ports = await freePorts('http', 'orders');
  const resources = [
    resource({ name: billingApi, http: { authority: ['billing.internal'], upstream: `127.0.0.1:${web.port}` } }),
    resource({ tcp: { port: ports.orders, gate: true, sni: null, upstream: `127.0.0.1:${db.port}` } }),
  ];
  const scene = await startScene(binary, resources, ports.http, unusual);
  onTestFinished(() => scene.stop());
  for (const name of [billingApi, ordersDb]) await scene.service.grant({ resource: name });
  const edit = (file: FileName) => generateEnvoyConfig(resources, scene.options).files[file];
  return { scene: { ...scene, original: edit }, ports };
}

/** Changes a file under the eyes of Envoy. */
function change(
  scene: Scene & { readonly original: (file: FileName) => string },
  file: FileName,
  edit: (text: string) => string,
): void {
  const path = join(scene.options.folder, file);
  const text = edit(scene.original(file));
  expect(text).not.toBe(scene.original(file));
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** What the service hears of a request. */
async function asked(scene: Pick<Scene, 'service'>, peer: Peer, headers: Record<string, string>): Promise<string> {
  await http1(peer, { ...billing, headers });
  return JSON.stringify(scene.service.asked.at(-1));
}
