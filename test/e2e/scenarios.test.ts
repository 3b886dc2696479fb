import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import { guardOfThis } from '../guard/wasm.js';
import { envoyOptions } from './envoy-options.js';
import { readPolicyFiles } from '../../src/policy/read.js';
import { corp } from '../builders.js';
import { play } from '../scenarios/play.js';
import { readScenario } from '../scenarios/script.js';
import { serviceStage, type Check } from '../scenarios/stages/service.js';
import { uriOf, type Stage } from '../scenarios/stages/stage.js';
import { startService, type TestService } from '../service.js';
import { http1, openTcp } from './clients.js';
import { httpUpstream, tcpUpstream } from './envoy-upstreams.js';
import { envoysForTests, freePorts, startEnvoy, until, type EnvoyBinary } from './envoy.js';

const { envoys, missing } = await envoysForTests();
const folder = join(import.meta.dirname, '../scenarios');
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe.skipIf(missing !== '')(`played through a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    test.for(names)('%s', async (name) => {
      const stage = await envoyStage(binary);
      try {
        await play(readScenario(join(folder, name)), stage);
      } finally {
        await stage.close();
      }
    });
  });
});

type Ports = Awaited<ReturnType<typeof freePorts<'http' | 'tcp' | 'admin'>>>;

/** The real service, a real Envoy with generated configuration, and clients with certificates. */
async function envoyStage(binary: EnvoyBinary): Promise<Stage> {
  const [web, database] = [await httpUpstream(), await tcpUpstream()];
  const ports = await freePorts('http', 'tcp', 'admin');
  const policies = readFileSync(join(folder, 'policy.yaml'), 'utf8')
    .replace('15432', String(ports.tcp))
    .replace('15433', String(database.port))
    .replace('18080', String(web.port));
  const service = await startService({ policies });
  const envoy = await startFor(service, policies, ports, binary);
  const close = async () => {
    await envoy.stop();
    await web.close();
    await database.close();
  };
  return serviceStage(service, { check: throughEnvoy(service, ports), close });
}

async function startFor(service: TestService, policies: string, ports: Ports, { command }: EnvoyBinary) {
  const { file } = service;
  const reading = readPolicyFiles([{ name: 'policy.yaml', bytes: Buffer.from(policies) }], { trust: [corp] });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const config = generateEnvoyConfig(reading.set.resources.values(), envoyOptions(file, ports));
  await writeEnvoyConfig(file('envoy'), config, guardOfThis());
  const listeners = ['http', 'tcp-orders-db'];
  return startEnvoy({
    command,
    config: file('envoy/bootstrap.yaml'),
    folder: service.folder,
    admin: ports.admin,
    listeners,
  });
}

function throughEnvoy(service: TestService, ports: Ports): Check {
  const peer = (who: string, port: number) => ({ port, ca: service.ca.pem, credential: service.certificateOf(who) });
  return async (who, _resource, request) => {
    if (request === null) return tcp(who);
    const [method, path] = request.split(' ');
    const answer = await http1(peer(who, ports.http), { authority: 'billing.internal', method: method!, path: path! });
    return answer.status === 200 ? 'allow' : `deny ${answer.headers['x-portcullis-reason']}`;
  };

  /** A silent client hears the banner, or is closed; why, the service tells. */
  async function tcp(who: string): Promise<string> {
    const since = new Date().toISOString();
    const connection = openTcp(peer(who, ports.tcp));
    await until(() => connection.received() !== '' || connection.isClosed(), 'a banner or a close');
    connection.socket.destroy();
    if (connection.received() === '220 banner\n') return 'allow';
    let reason: string | undefined;
    await until(async () => (reason = await lastReason(who, since)) !== undefined, 'the decision in the log');
    return `deny ${reason}`;
  }

  async function lastReason(who: string, since: string): Promise<string | undefined> {
    const query = new URLSearchParams({ subject: `corp/${uriOf(who)}`, since, limit: '1' });
    const { body } = await service.api('host', 'GET', `/v1/decisions?${query}`);
    return (body['items'] as { reason: string }[])[0]?.reason;
  }
}
