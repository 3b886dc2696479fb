import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateEnvoyConfig } from '../../src/envoy-config/generate.js';
import { writeEnvoyConfig } from '../../src/envoy-config/write.js';
import type { TrustName } from '../../src/domain/names.js';
import { readPolicyFolder } from '../../src/policy/read.js';
import { PROGRAM } from '../cli/program.js';
import { startEnvoy, freePorts, type EnvoyBinary } from '../e2e/envoy.js';
import { envoyOptions } from '../e2e/envoy-options.js';
import { guardOfThis } from '../guard/wasm.js';
import { makeHome, startService, type ApiAnswer } from '../service.js';

/** Something behind Envoy: raw TCP through the gate or with the network filter, or HTTP. */
export interface Behind {
  readonly name: string;
  readonly kind: 'tcp' | 'http';
  /** Where Envoy finds it. */
  readonly upstream: number;
  /** False: TCP with the network filter. */
  readonly gate?: boolean;
}

/** Who plays: alice asks, bob reviews, carol operates; mallory has a certificate and nothing else. */
const PLAYERS = ['alice', 'bob', 'carol', 'mallory'] as const;
type Player = (typeof PLAYERS)[number];

/** The real service, a real Envoy with generated configuration in front of `behind`, and a context for everybody. */
export async function openStage(
  { command }: EnvoyBinary,
  behind: readonly Behind[],
  { onDeny }: { readonly onDeny?: 'draft' } = {},
) {
  const tcp = behind.filter(({ kind }) => kind === 'tcp');
  const ports = await freePorts('http', 'admin', ...tcp.map(({ name }) => name));
  const portOf = (name: string) =>
    ports[behind.some((one) => one.name === name && one.kind === 'tcp') ? name : 'http']!;
  const home = makeHome(policiesFor(behind, portOf, onDeny ? `onDeny: ${onDeny}` : ''));
  const { file, folder } = home;
  const service = await startService({ home });
  const stopService = async () => {
    await service.stop();
    home.remove();
  };
  try {
    const options = envoyOptions(file, { http: ports['http']!, admin: ports['admin']! });
    const policies = await readPolicyFolder(file('policy'), { trust: ['corp' as TrustName] });
    if (!policies.ok) throw new Error(JSON.stringify(policies.problems));
    await writeEnvoyConfig(
      options.folder,
      generateEnvoyConfig(policies.set.resources.values(), options),
      guardOfThis(),
    );
    writeContexts(home, service.running.addresses['admin']);
    const envoy = await startEnvoy({
      command,
      config: 'envoy/bootstrap.yaml',
      folder,
      admin: ports['admin']!,
      listeners: tcp.map(({ name }) => `tcp-${name}`),
    });
    return {
      folder,
      file,
      envoy,
      service,
      portOf,
      ca: home.ca,
      certificateOf: home.certificateOf,
      env: environmentFor(folder),
      /** Access for alice, asked for and approved. */
      grant: (resource: string, length = '1h') => grantOver(service.api, resource, length),
      revoke: (grantId: string, why: string) =>
        called(service.api('carol', 'POST', `/v1/grants/${grantId}/revoke`, { reason: why })),
      approve: (requestId: string) => approve(service.api, requestId),
      requests: async (): Promise<readonly { readonly id: string; readonly state: string }[]> => {
        const { items } = await called(service.api('alice', 'GET', '/v1/requests?mine=true'));
        return items as never;
      },
      async stop() {
        await envoy.stop();
        await stopService();
      },
    };
  } catch (error) {
    await stopService();
    throw error;
  }
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

type Api = Awaited<ReturnType<typeof startService>>['api'];

async function grantOver(api: Api, resource: string, length: string): Promise<string> {
  const reason = `access number ${++made}`;
  const asked = await called(
    api('alice', 'POST', '/v1/requests', { resource, duration: length, justification: reason }),
  );
  return approve(api, String(asked['id']));
}

let made = 0;

async function approve(api: Api, id: string): Promise<string> {
  const { digest } = await called(api('bob', 'GET', `/v1/requests/${id}`));
  const body = { verdict: 'approve', digest };
  const approved = await called(api('bob', 'POST', `/v1/requests/${id}/reviews`, body));
  return String(approved['grantId']);
}

async function called(answer: Promise<ApiAnswer>): Promise<ApiAnswer['body']> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}

function policiesFor(behind: readonly Behind[], portOf: (name: string) => number, more: string): string {
  const entries = behind.map(({ name, kind, upstream, gate = true }) =>
    kind === 'tcp'
      ? `  ${name}: { labels: { env: test }, tcp: { port: ${portOf(name)}, upstream: "127.0.0.1:${upstream}", gate: ${gate} } }`
      : `  ${name}: { labels: { env: test }, http: { authority: [${name}.internal], upstream: "127.0.0.1:${upstream}" } }`,
  );
  return `people:
  alice: { subjects: ["spiffe://corp/alice"] }
  bob: { subjects: ["spiffe://corp/bob"] }
  carol: { subjects: ["spiffe://corp/carol"] }
groups: { dev: [alice], sre: [bob] }
resources:
${entries.join('\n')}
policies:
  test:
    who: { groups: [dev] }
    what: { labels: { env: test } }
    duration: { default: 1h, max: 4h }
    justification: required
    approval: [{ count: 1, from: { groups: [sre] } }]
    ${more}
roles: { operator: { people: [carol] }, auditor: { people: [carol] } }
`;
}

/** What each of them has at home: certificate, key, a context; and the program under its name. */
function writeContexts({ file, certificateOf }: ReturnType<typeof makeHome>, admin: string): void {
  for (const who of PLAYERS satisfies readonly Player[]) {
    const { pem, keyPem } = certificateOf(who);
    writeFileSync(file(`${who}.crt`), pem);
    writeFileSync(file(`${who}.key`), keyPem, { mode: 0o600 });
    const port = admin.split(':').at(-1);
    writeFileSync(
      file(`${who}.yaml`),
      `url: https://localhost:${port}\nca: ./ca.crt\ncert: ./${who}.crt\nkey: ./${who}.key\n`,
    );
  }
  const words = PROGRAM.map((word) => `'${word}'`).join(' ');
  writeFileSync(file('portcullis'), `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(file('portcullis'), 0o755);
}

/** alice at her desk. */
function environmentFor(folder: string): Readonly<Record<string, string>> {
  return {
    PATH: `${folder}:${process.env['PATH']!}:/usr/sbin:/sbin`,
    HOME: folder,
    PORTCULLIS_CONTEXT: join(folder, 'alice.yaml'),
  };
}
