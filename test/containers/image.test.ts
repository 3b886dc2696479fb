import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../e2e/envoy.js';
import { docker, engineForTests, inspect, run } from './engine.js';
import { buildImage, filesOf, IMAGE, type ImageFile } from './image.js';

// What the Dockerfile makes: what is in the image, what is not, and how it behaves by itself.

const { missing } = engineForTests();

/** Megabytes. Node alone is 127 of them. */
const LARGEST = 175;

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Volumes: Readonly<Record<string, object>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Entrypoint: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
}

describe.skipIf(missing !== '')(`the image${missing && ` (${missing})`}`, () => {
  let files: readonly ImageFile[] = [];
  const paths = () => files.map(({ path }) => path);

  beforeAll(() => {
    buildImage();
    files = filesOf(IMAGE);
  });

  test('says what it is, runs as nobody in particular, keeps data in one volume, and knows how it feels', () => {
    const config = inspect(IMAGE, '.Config') as ImageConfig;
    expect(config.User).toBe('65532:65532');
    expect(Object.keys(config.Volumes)).toEqual(['/var/lib/portcullis']);
    expect(config.Entrypoint).toEqual(['portcullis']);
    expect(config.Healthcheck.Test[0]).toBe('CMD');
    const { version, license } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, string>;
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Portcullis',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': license,
    });
  });

  test('its environment is three harmless variables', () => {
    const names = (inspect(IMAGE, '.Config') as ImageConfig).Env.map((variable) => variable.split('=')[0]!);
    expect(new Set(names)).toEqual(new Set(['NODE_ENV', 'PATH', 'PORTCULLIS_CONFIG']));
  });

  test('holds packages of production only, and all of them that every platform needs', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { dev?: true; devOptional?: true; optional?: true }>;
    };
    const there = new Set(paths());
    const isThere = (at: string) => there.has(`opt/portcullis/${at}/package.json`);
    const entries = Object.entries(lock.packages).filter(([at]) => at !== '');
    const development = entries.filter(([, { dev, devOptional }]) => dev ?? devOptional).map(([at]) => at);
    expect(development.length).toBeGreaterThan(100);
    expect(development.filter(isThere)).toEqual([]);
    const needed = entries.filter(([, { dev, devOptional, optional }]) => !(dev ?? devOptional ?? optional));
    expect(needed.map(([at]) => at).filter((at) => !isThere(at))).toEqual([]);
  });

  test('holds no tests, no sources of ours, no maps, no shell and no package manager', () => {
    expect(paths().filter((path) => /\.test\.|\/tests?\/|\.[mc]?ts$|\.map$/.test(path))).toEqual([]);
    expect(
      paths().filter((path) => /(^|\/)(ba|da)?sh$|busybox|(^|\/)(npm|npx|apt|dpkg)(-[a-z]+)?$/.test(path)),
    ).toEqual([]);
  });

  test('nothing in it belongs to its user but the two folders it writes to; nobody but root may change the rest', () => {
    const own = files.filter(({ owner }) => owner !== '0/0').map(({ mode, path }) => `${mode} ${path}`);
    expect(own).toEqual(['drwxr-x--- run/portcullis/', 'drwx------ var/lib/portcullis/']);
    const open = files.filter(({ mode, path }) => !mode.startsWith('l') && path !== 'tmp/' && mode[8] === 'w');
    expect(open.map(({ path }) => path)).toEqual([]);
    expect(files.filter(({ mode }) => /s/i.test(mode.slice(1))).map(({ path }) => path)).toEqual([]);
  });

  test('holds no private key', () => {
    const script = `
      const { readdirSync, readFileSync } = require('node:fs');
      const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\\s+[A-Za-z0-9+/]{20}/;
      let read = 0;
      for (const top of ['/opt', '/etc', '/var', '/run', '/usr/share']) {
        for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile()) continue;
          read++;
          const path = entry.parentPath + '/' + entry.name;
          if (key.test(readFileSync(path, 'latin1'))) console.log(path);
        }
      }
      console.log(read > 1000);`;
    expect(docker('run', '--rm', '--network', 'none', '--entrypoint', 'node', IMAGE, '-e', script)).toBe('true');
  });

  test('what lies about in the checkout does not get into the build', () => {
    const context = mkdtempSync(join(tmpdir(), 'portcullis-context-'));
    onTestFinished(() => rmSync(context, { recursive: true, force: true }));
    const stays = [
      '.env',
      'ca.key',
      'data/data.mdb',
      '.git/config',
      'node_modules/a/a.js',
      'test/a.ts',
      'src/a.test.ts',
    ];
    const enters = ['src/domain/a.ts', 'bin/portcullis.js', 'package.json', 'docker/entry.js'];
    for (const file of [...stays, ...enters]) {
      mkdirSync(dirname(join(context, file)), { recursive: true });
      writeFileSync(join(context, file), 'x');
    }
    writeFileSync(join(context, '.dockerignore'), readFileSync('.dockerignore'));
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /context/\n');
    docker('build', '--quiet', '--tag', 'portcullis:test-context', context);
    onTestFinished(() => void docker('rmi', 'portcullis:test-context'));
    const entered = filesOf('portcullis:test-context').map(({ path }) => path);
    const within = entered.filter((path) => path.startsWith('context/') && !path.endsWith('/'));
    expect(within.toSorted()).toEqual(enters.map((path) => `context/${path}`).toSorted());
  });

  test(`is smaller than ${LARGEST} MB`, () => {
    const megabytes = (inspect(IMAGE, '.Size') as number) / 1e6;
    console.log(`the image has ${megabytes.toFixed(1)} MB and ${files.length} files`);
    expect(megabytes).toBeLessThan(LARGEST);
  });

  test('runs any command with no right, no network and nothing it could write to', () => {
    const none = ['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(docker('run', '--rm', ...none, IMAGE, '--version')).toContain(version);
  });

  test('starts with what init has written in it, read-only and with no right, and knows that it is well', async () => {
    const name = `portcullis-test-init-${process.pid}`;
    onTestFinished(() => {
      run('docker', ['rm', '--force', '--volumes', name]);
      run('docker', ['volume', 'rm', `${name}-etc`, `${name}-data`]);
    });
    // A new volume takes over the owner of the folder that it is first put on.
    const etc = '/var/lib/portcullis';
    docker('create', '--name', name, '--volume', `${name}-etc:${etc}`, IMAGE, 'init', etc, '--with-ca');
    expect(run('docker', ['start', '--attach', name]).text).toMatch(/^wrote .*portcullis\.yaml/);
    docker('rm', name);

    const none = ['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    const settings = {
      PORTCULLIS_DATA: '/var/lib/portcullis/data',
      PORTCULLIS_LISTEN_AUTHZ: 'unix:/run/portcullis/authz.sock',
      PORTCULLIS_LISTEN_GUARD: 'unix:/run/portcullis/guard.sock',
      PORTCULLIS_LISTEN_ADMIN_SOCKET: 'unix:/var/lib/portcullis/run/admin.sock',
    };
    const env = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    const volumes = [`${name}-etc:/etc/portcullis:ro`, `${name}-data:/var/lib/portcullis`, '/run/portcullis'];
    const mounted = volumes.flatMap((volume) => ['--volume', volume]);
    docker('run', '--detach', '--name', name, '--health-interval', '1s', ...none, ...env, ...mounted, IMAGE);
    const health = () => inspect(name, '.State.Health.Status');
    await until(() => health() === 'healthy', `health; ${run('docker', ['logs', name]).text}`, 30_000);
    const socket = settings.PORTCULLIS_LISTEN_ADMIN_SOCKET.replace('unix:', '');
    expect(docker('exec', name, 'portcullis', '--admin-socket', socket, 'whoami')).toContain('host');
  });

  test('without a configuration its health check fails and says why', () => {
    const health = ['--entrypoint', 'node', IMAGE, '/opt/portcullis/docker/health.js'];
    const { code, text } = run('docker', ['run', '--rm', '--network', 'none', ...health]);
    expect(code).toBe(1);
    expect(text).toContain('the configuration cannot be read');
  });

  test('SIGTERM ends a command that does not listen for it, as it does where it is not process 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const asked = new Promise((resolve) => server.once('connection', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = ['--env', 'PORTCULLIS_TOKEN=pct_nobody', '--env', `PORTCULLIS_URL=${url}`];
    const name = `portcullis-test-${process.pid}`;
    const child = spawn('docker', ['run', '--name', name, '--network', 'host', ...env, IMAGE, 'whoami'], {
      stdio: 'pipe',
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
    const ended = new Promise<string>((resolve) => child.once('exit', () => resolve(said)));
    onTestFinished(() => void run('docker', ['rm', '--force', '--volumes', name]));
    // It waits for an answer that never comes.
    expect(await Promise.race([asked.then(() => 'asked'), ended])).toBe('asked');
    const before = performance.now();
    docker('stop', '--time', '10', name);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(inspect(name, '.State.ExitCode')).toBe(128 + 15);
  });
});
