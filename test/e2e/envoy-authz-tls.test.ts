import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { revokeGrant } from '../../src/access/end-grant.js';
import { peerAdmitted } from '../../src/authz/peer.js';
import { issueServer, type Credential } from '../../src/demo/certificates.js';
import { parseSubjectPattern } from '../../src/domain/subject-pattern.js';
import { billingApi, resource } from '../builders.js';
import { http1, openHttp2 } from './clients.js';
import { envoysForTests, freePorts, until, type EnvoyBinary } from './envoy.js';
import { makeCertificates, startScene, VALIDITY, type Certificates, type Unusual } from './envoy-scene.js';
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

    test('a guard whose names are right is in contact, and cuts what is revoked', async () => {
      const { alice, scene, grant } = await startGuarded(binary, web, RIGHT);
      await until(() => scene.service.guards.size.guards > 0, 'a guard');
      const session = openHttp2(alice);
      const stream = session.request({ ':authority': billing.authority, ':path': '/stream' });
      let isOver = false;
      let text = '';
      stream.on('data', (data: Buffer) => (text += data.toString()));
      stream.on('error', () => undefined).on('close', () => (isOver = true));
      await until(() => text.includes('tick'), 'a tick');
      await revokeGrant(scene.service.needed, { kind: 'host' }, { id: grant.id }, null);
      expect(await scene.service.guards.settle(1_000)).toEqual([]);
      await until(() => isOver, 'the cut', 1_000);
      session.destroy();
      expect(scene.service.alarms).toEqual([]);
    });

    test.for([
      [
        'of an Envoy with another name is turned away, which is alarmed',
        { envoy: (all: Certificates) => all.client('alice') },
        1,
      ],
      ['of an Envoy of another CA is turned away', { envoy: () => makeCertificates().client('envoy') }, 0],
      ['keeps away from a service with another name', { service: serviceNamed('alice') }, 0],
      ['keeps away from a service of another CA', { service: () => serviceNamed('portcullis')(makeCertificates()) }, 0],
    ] as [string, Partial<Names>, number][])('a guard %s', async ([, names, alarms]) => {
      const { scene } = await startGuarded(binary, web, { ...RIGHT, ...names });
      // It tries again and again, at least every two seconds.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect(scene.service.guards.size).toEqual({ guards: 0, sessions: 0 });
      expect(scene.service.alarms.length >= alarms).toBe(true);
    });
  });
});

interface Ends {
  readonly certificates: Certificates;
  readonly file: (name: string, text: string) => string;
  readonly port: number;
}

/** Both ends of a connection over TCP: how Envoy calls, and with what the service answers. */
function bothEnds({ service, envoy }: Names, { certificates: all, file, port }: Ends) {
  const [own, theirs] = [service(all), envoy(all)];
  const pair = { cert_chain: Buffer.from(own.pem), private_key: Buffer.from(own.keyPem) };
  const tls = {
    ca: file('service-ca.crt', all.ca.pem),
    cert: file('envoy.crt', theirs.pem),
    key: file('envoy.key', theirs.keyPem),
    name: 'spiffe://corp/portcullis',
  };
  return {
    target: { kind: 'tcp', host: '127.0.0.1', port, tls } as const,
    listener: {
      target: `127.0.0.1:${port}`,
      credentials: ServerCredentials.createSsl(Buffer.from(all.ca.pem), [pair], true),
    },
    peers: [parseSubjectPattern('spiffe://corp/envoy')],
  };
}

/** Checks over TCP. */
function start(binary: EnvoyBinary, web: HttpUpstream, names: Names) {
  return opened(binary, web, (ends) => {
    const { target, listener, peers } = bothEnds(names, ends);
    return { authz: target, service: { ...listener, peers } };
  });
}

/** The guards' contact over TCP. */
function startGuarded(binary: EnvoyBinary, web: HttpUpstream, names: Names) {
  return opened(binary, web, (ends) => {
    const { target, listener, peers } = bothEnds(names, ends);
    return { guard: target, service: { guardListener: { ...listener, admits: peerAdmitted(peers) } } };
  });
}

async function opened(binary: EnvoyBinary, web: HttpUpstream, unusual: (ends: Ends) => Unusual) {
  const { http, port } = await freePorts('http', 'port');
  const billingResource = resource({
    name: billingApi,
    http: { authority: ['billing.internal'], upstream: `127.0.0.1:${web.port}` },
  });
  const scene = await startScene(binary, [billingResource], http, (certificates, file) =>
    unusual({ certificates, file, port }),
  );
  onTestFinished(() => scene.stop());
  const grant = await scene.service.grant({ resource: billingApi });
  return { scene, grant, alice: scene.peer(http), mallory: scene.peer(http, 'mallory') };
}
