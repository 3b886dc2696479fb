import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BANNER } from '../../src/demo/upstreams.js';
import { freePorts, until } from '../e2e/envoy.js';
import { docker, engineForTests, inspect } from './engine.js';
import { buildImage } from './image.js';
import { RUNNING, upPod, type Pod, type Ports, type Service } from './pod.js';

// docker-compose.yml, brought up as it is: Envoy with the examples of envoy/ unchanged, the service, and what they protect.
// The tests follow each other: one story.

const { compose, missing } = engineForTests();
const PROJECT = `portcullis-test-${process.pid}`;

/** In the order of src/demo/upstreams.ts. */
const GREETING = 'hello from billing-api\n';

interface HostConfig {
  readonly ReadonlyRootfs: boolean;
  readonly Privileged: boolean;
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  readonly SecurityOpt: readonly string[] | null;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(missing !== '')(`the compose file${missing && ` (${missing})`}`, () => {
  let ports: Ports;
  let pod: Pod;

  beforeAll(async () => {
    buildImage();
    ports = await freePorts('http', 'tcp', 'admin');
    const before = performance.now();
    pod = await upPod(PROJECT, compose, ports);
    console.log(`everybody was healthy after ${((performance.now() - before) / 1_000).toFixed(1)} s`);
  });
  afterAll(() => pod?.down({ removeVolumes: true }));

  test('what sets the stage has ended with 0', () => {
    expect(inspect(pod.container('stage'), '.State')).toMatchObject({ Status: 'exited', ExitCode: 0 });
  });

  test.for([...RUNNING, 'stage'] as const)(
    '%s has no rights, and a root file system that it cannot write to',
    (service) => {
      const config = inspect(pod.container(service), '.HostConfig') as HostConfig;
      expect(config).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] });
      expect(config.CapAdd ?? []).toEqual([]);
      expect(config.SecurityOpt).toContain('no-new-privileges:true');
    },
  );

  test.for(RUNNING)('the process of %s is not root, has no capability and can get none', (service) => {
    const status = readIn(service, '/proc/1/status');
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
    expect(field('Uid')).toMatch(/^([1-9]\d*)(\s+\1){3}$/);
    expect(field('Gid')).toMatch(/^65532\b/);
    expect([field('CapEff'), field('CapPrm'), field('CapBnd')]).toEqual(Array(3).fill('0000000000000000'));
    expect(field('NoNewPrivs')).toBe('1');
  });

  test.for([
    '/portcullis',
    '/opt/portcullis/dist/main.js',
    '/etc/portcullis/portcullis.yaml',
    '/demo/service/store.key',
  ])('the service cannot write to %s', (path) => {
    const { text } = pod.exec('portcullis', 'node', '-e', `fs.appendFileSync('${path}', '#')`);
    expect(text).toMatch(/EROFS|EACCES/);
  });

  test.for(['/demo/service/store.key', '/demo/service/server.key', '/demo/people/alice.key'])(
    'Envoy cannot read %s',
    (path) => expect(pod.exec('envoy-http', 'cat', path).text).toContain('Permission denied'),
  );

  test('everything is published on loopback alone', () => {
    const published = RUNNING.flatMap((service) => docker('port', pod.container(service)).split('\n')).filter(Boolean);
    const wanted = [`18443/tcp -> 127.0.0.1:${ports.http}`, `15432/tcp -> 127.0.0.1:${ports.tcp}`];
    expect(new Set(published)).toEqual(new Set([...wanted, `8180/tcp -> 127.0.0.1:${ports.admin}`]));
  });

  test('HTTP: refused, asked, still refused, approved, let through, expired, refused', async () => {
    expect(await pod.fetch('alice')).toMatchObject({ status: 403, body: expect.stringContaining('(no_grant)') });
    const asked = pod.portcullis('alice', 'request', 'billing-api', '--for', '4s', '--reason', 'invoice 7');
    expect(asked, asked.text).toMatchObject({ code: 0 });
    expect(await pod.fetch('alice')).toMatchObject({
      status: 403,
      body: expect.stringContaining('(pending_approval)'),
    });
    const approved = pod.portcullis('bob', 'approve');
    const approvedAt = performance.now();
    expect(approved, approved.text).toMatchObject({ code: 0 });
    expect(await pod.fetch('alice')).toMatchObject({ status: 200, body: GREETING });
    expect(await pod.fetch('carol')).toMatchObject({ status: 403 });
    await wait(4_050 - (performance.now() - approvedAt));
    expect(await pod.fetch('alice')).toMatchObject({ status: 403, body: expect.stringContaining('(expired)') });
  });

  test('TCP through the gate: refused without a byte, approved, the server speaks first, expired, refused', async () => {
    expect(await bytesBeforeClose()).toBe('');
    pod.grant('alice', 'orders-db', '4s');
    const approvedAt = performance.now();
    const open = pod.connect('alice');
    await until(() => open.received().startsWith(`${BANNER}\n`), 'the banner');
    // What is still open then ends with its access.
    await open.closed;
    expect(performance.now() - approvedAt).toBeGreaterThan(3_500);
    expect(performance.now() - approvedAt).toBeLessThan(5_500);
    expect(await bytesBeforeClose()).toBe('');
  });

  test('a live session is seen and cut, with whoever it belongs to locked', async () => {
    pod.grant('alice', 'orders-db', '10m');
    const open = pod.connect('alice');
    await until(() => open.received().startsWith(`${BANNER}\n`), 'the banner');
    expect(pod.portcullis('carol', 'sessions', '--state', 'live').text).toContain('orders-db');
    const locked = pod.portcullis('carol', 'lock', '--person', 'alice', '--reason', 'incident 7');
    expect(locked, locked.text).toMatchObject({ code: 0 });
    await open.closed;
    expect(pod.portcullis('carol', 'sessions').text).toContain('locked');
    const [id] = /lock_\w+/.exec(locked.text)!;
    expect(pod.portcullis('carol', 'unlock', id)).toMatchObject({ code: 0 });
  });

  test("a refusal can be found in Envoy's access log and explained from there", async () => {
    const { body } = await pod.fetch('carol');
    const [, decision] = /decision: (dec_\w+)/.exec(body)!;
    // Envoy writes its log every ten seconds, or when there is much of it.
    await until(() => docker('logs', pod.container('envoy-http')).includes(decision!), 'the line', 15_000);
    expect(pod.portcullis('carol', 'explain', '--decision', decision!).text).toContain('no_grant');
  });

  test('SIGTERM ends the service with 0 in order; while it is away nothing is let through; its grants survive', async () => {
    pod.grant('alice', 'billing-api', '10m');
    pod.grant('alice', 'orders-db', '10m');
    expect(await pod.fetch('alice')).toMatchObject({ status: 200 });
    const service = pod.container('portcullis');
    const before = performance.now();
    docker('stop', '--time', '10', service);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(inspect(service, '.State')).toMatchObject({ Status: 'exited', ExitCode: 0, OOMKilled: false });
    expect(await pod.fetch('alice')).toMatchObject({ status: 503 });
    expect(await bytesBeforeClose()).toBe('');
    docker('start', service);
    await pod.healthy('portcullis');
    await until(async () => (await pod.fetch('alice')).status === 200, 'access', 15_000);
  });

  test('what is granted and who is trusted survive down and up', async () => {
    const grants = () =>
      JSON.parse(pod.portcullis('alice', 'grants', '--mine', '-o', 'json').stdout) as readonly unknown[];
    const before = grants();
    expect(before.length).toBeGreaterThanOrEqual(4);
    const service = pod.container('portcullis');
    const start = performance.now();
    await pod.down({ removeVolumes: false });
    console.log(`down took ${((performance.now() - start) / 1_000).toFixed(1)} s`);
    pod = await upPod(PROJECT, compose, ports);
    expect(pod.container('portcullis')).not.toBe(service);
    expect(grants()).toEqual(before);
    expect(await pod.fetch('alice')).toMatchObject({ status: 200, body: GREETING });
  });

  test('a service that cannot answer becomes unhealthy', async () => {
    const check = () => pod.exec('portcullis', 'node', '/opt/portcullis/docker/health.js');
    expect(check(), check().text).toMatchObject({ code: 0 });
    docker('kill', '--signal', 'STOP', pod.container('portcullis'));
    const stopped = check();
    docker('kill', '--signal', 'CONT', pod.container('portcullis'));
    expect(stopped).toMatchObject({ code: 1, text: expect.stringContaining('no answer in time') });
    expect(check(), check().text).toMatchObject({ code: 0 });
  });

  /** What alice's TCP connection reads until it is closed for her. */
  async function bytesBeforeClose(): Promise<string> {
    const connection = pod.connect('alice');
    await Promise.race([connection.closed, wait(5_000)]);
    expect(connection.isClosed()).toBe(true);
    return connection.received();
  }

  function readIn(service: Service, path: string): string {
    const command = service.startsWith('envoy') ? ['cat', path] : ['node', '-p', `fs.readFileSync('${path}', 'utf8')`];
    return pod.exec(service, ...command).stdout;
  }
});
