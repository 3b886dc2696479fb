import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { issueServer, type Credential } from '../../src/demo/certificates.js';
import { parseSubjectPattern } from '../../src/domain/subject-pattern.js';
import { billingApi, resource } from '../builders.js';
import { http1 } from './clients.js';
import { envoysForTests, freePorts, until, type EnvoyBinary } from './envoy.js';
import { makeCertificates, startScene, VALIDITY, type Certificates } from './envoy-scene.js';
import { httpUpstream, type HttpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();
const billing = { authority: 'billing.internal' };

/** Who shows what: the service's certificate carries a URI name, Envoy's too. */
interface Names {
  readonly service: (all: Certificates) => Credential;
  readonly envoy: (all: Certificates) => Credential;
}
const serviceNamed = (name: string) => (all: Certificates) =>
  issueServer(all.ca, [{ uri: `spiffe://corp/${name}` }], { subject: [], ...VALIDITY });
const RIGHT: Names = { service: serviceNamed('portcullis'), envoy: (all) => all.client('envoy') };

describe.skipIf(missing !== '')(`a real Envoy and the service over TCP${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let web: HttpUpstream;
    beforeAll(async () => {
      web = await httpUpstream();
    });
    afterAll(() => web?.close());

    test('who both are what the other expects understand each other', async () => {
      const { alice, mallory } = await start(binary, web, RIGHT);
      await until(async () => (await http1(alice, billing)).status === 200, 'an answer');
      expect((await http1(mallory, billing)).headers['x-portcullis-reason']).toBe('no_grant');
    });

    test.for([
      ['a service that carries another name', { ...RIGHT, service: serviceNamed('alice') }],
      ['a service of another CA', { ...RIGHT, service: () => serviceNamed('portcullis')(makeCertificates()) }],
      ['an Envoy that carries another name', { ...RIGHT, envoy: (all) => all.client('alice') }],
      ['an Envoy of another CA', { ...RIGHT, envoy: () => makeCertificates().client('envoy') }],
    ] as [string, Names][])('with %s nobody gets through', async ([, names]) => {
      const { alice, scene } = await start(binary, web, names);
      web.arrived.length = 0;
      for (let i = 0; i < 3; i++) expect((await http1(alice, billing)).status).toBeGreaterThanOrEqual(403);
      expect([web.arrived, scene.service.asked]).toEqual([[], []]);
    });
  });
});

async function start(binary: EnvoyBinary, web: HttpUpstream, { service, envoy }: Names) {
  const { http, authz } = await freePorts('http', 'authz');
  const billingResource = resource({
    name: billingApi,
    http: { authority: ['billing.internal'], upstream: `127.0.0.1:${web.port}` },
  });
  const scene = await startScene(binary, [billingResource], http, (all, file) => {
    const [own, theirs] = [service(all), envoy(all)];
    const pair = { cert_chain: Buffer.from(own.pem), private_key: Buffer.from(own.keyPem) };
    const tls = {
      ca: file('authz-ca.crt', all.ca.pem),
      cert: file('envoy.crt', theirs.pem),
      key: file('envoy.key', theirs.keyPem),
      name: 'spiffe://corp/portcullis',
    };
    return {
      authz: { kind: 'tcp', host: '127.0.0.1', port: authz, tls },
      service: {
        target: `127.0.0.1:${authz}`,
        credentials: ServerCredentials.createSsl(Buffer.from(all.ca.pem), [pair], true),
        peers: [parseSubjectPattern('spiffe://corp/envoy')],
      },
    };
  });
  onTestFinished(() => scene.stop());
  await scene.service.grant({ resource: billingApi });
  return { scene, alice: scene.peer(http), mallory: scene.peer(http, 'mallory') };
}
