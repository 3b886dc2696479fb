import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import { http1, openTcp, type HttpAnswer, type Peer, type RawConnection } from '../e2e/clients.js';
import { docker, inspect, ROOT, run, type ComposeClient, type Outcome } from './engine.js';
import { IMAGE } from './image.js';

/** The services of docker-compose.yml that keep running. */
export const RUNNING = ['pod', 'portcullis', 'upstreams', 'envoy-http', 'envoy-tcp'] as const;
export type Service = (typeof RUNNING)[number] | 'stage';

/** Who has a certificate in the demonstration. */
type Person = 'alice' | 'bob' | 'carol';

export interface Ports {
  readonly http: number;
  readonly tcp: number;
  readonly admin: number;
}

/** What docker-compose.yml brings up, and ways to use it as people do. */
export interface Pod {
  /** Id of the container of a service. */
  container(service: Service): string;
  /** Runs a program in the container of a service. */
  exec(service: Service, ...command: readonly string[]): Outcome;
  /** The command line, inside the container of the service. */
  portcullis(person: Person, ...args: readonly string[]): Outcome;
  /** A person asks for access and bob approves; gives what he is told. */
  grant(person: Person, resource: string, length: string): string;
  /** GET / through Envoy, from outside of all containers. */
  fetch(person: Person): Promise<HttpAnswer>;
  /** A silent TCP client through Envoy's gate. */
  connect(person: Person): RawConnection;
  /** Until the engine says that a service is healthy. */
  healthy(service: Service): Promise<void>;
  /** Ends all containers. Data stays, unless it is to go with them. */
  down(what: { readonly removeVolumes: boolean }): Promise<void>;
}

const START_MS = 120_000;

/**
 * Brings up docker-compose.yml unchanged, with the image of the tests and on these ports of loopback, and waits until
 * everybody is healthy.
 *
 * @throws {Error} when that does not happen
 */
export async function upPod(project: string, compose: ComposeClient, ports: Ports): Promise<Pod> {
  const environment = new DockerComposeEnvironment(ROOT, 'docker-compose.yml')
    .withProjectName(project)
    .withAutoCleanup(false)
    .withClientOptions(compose === 'standalone' ? { executable: { standalone: true } } : {})
    .withEnvironment({
      DEMO_IMAGE: IMAGE,
      DEMO_HTTP_PORT: `${ports.http}`,
      DEMO_TCP_PORT: `${ports.tcp}`,
      DEMO_ADMIN_PORT: `${ports.admin}`,
    })
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(START_MS);
  const started = await environment.up();

  const container = (service: Service) => containerOf(project, service);
  const exec = (service: Service, ...command: readonly string[]) =>
    run('docker', ['exec', container(service), ...command]);
  const portcullis = (person: Person, ...args: readonly string[]) =>
    exec('portcullis', 'portcullis', '--context', `/demo/people/${person}.yaml`, ...args);
  const people = filesIn(container('portcullis'), '/demo/people');
  const peer = (person: Person, port: number): Peer => ({ port, ca: people('ca.crt'), credential: credential(person) });
  const credential = (person: Person) => ({ pem: people(`${person}.crt`), keyPem: people(`${person}.key`) });

  return {
    container,
    exec,
    portcullis,
    grant(person, resource, length) {
      const asked = portcullis(person, 'request', resource, '--for', length, '--reason', 'look');
      if (asked.code !== 0) throw new Error(`${person} cannot ask for ${resource}: ${asked.text}`);
      const approved = portcullis('bob', 'approve');
      if (approved.code !== 0) throw new Error(`bob cannot approve: ${approved.text}`);
      return approved.text;
    },
    fetch: (person) => http1(peer(person, ports.http), { authority: 'billing.internal' }),
    connect: (person) => openTcp(peer(person, ports.tcp)),
    healthy: (service) => healthy(container(service)),
    async down(what) {
      await started.down(what);
    },
  };
}

function containerOf(project: string, service: Service): string {
  const labels = [`project=${project}`, `service=${service}`];
  const filters = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`]);
  const id = docker('ps', '--all', '--quiet', ...filters);
  if (!/^[0-9a-f]+$/.test(id)) throw new Error(`one container of ${service} is expected, found "${id}"`);
  return id;
}

/** The files of a folder of a container, by name. There are keys among them: nothing stays on disk. */
function filesIn(container: string, folder: string): (name: string) => string {
  const copy = mkdtempSync(join(tmpdir(), 'portcullis-people-'));
  try {
    docker('cp', `${container}:${folder}/.`, copy);
    const files = new Map(readdirSync(copy).map((name) => [name, readFileSync(join(copy, name), 'utf8')]));
    return (name) => files.get(name)!;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function healthy(container: string): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    const state = inspect(container, '.State.Health.Status');
    if (state === 'healthy') return;
    if (Date.now() > end)
      throw new Error(`${container} is ${String(state)}: ${docker('logs', '--tail', '20', container)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
