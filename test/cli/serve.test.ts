import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { clientOf, serverOf, testCa } from '../pki.js';
import { runProgram, start, type Started } from './program.js';

const ca = testCa();
const server = serverOf(ca);
const PEOPLE = ['alice', 'bob', 'carol'];

let folder: string;
const file = (name: string) => join(folder, name);
const env = {
  // On a machine whose temporary folder is in memory the store would refuse to lie there.
  PORTCULLIS_STORAGE_ALLOW_VOLATILE: 'true',
  PORTCULLIS_LISTEN_METRICS: '127.0.0.1:0',
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-serve-'));
  writeFileSync(file('ca.crt'), ca.pem);
  for (const name of ['server', 'envoy']) {
    writeFileSync(file(`${name}.crt`), server.pem);
    writeFileSync(file(`${name}.key`), server.keyPem, { mode: 0o600 });
  }
  for (const name of PEOPLE) {
    const { pem, keyPem } = clientOf(ca, `spiffe://corp/${name}`);
    writeFileSync(file(`${name}.crt`), pem);
    writeFileSync(file(`${name}.key`), keyPem, { mode: 0o600 });
  }
  const { code, err } = await portcullis('init', '.', '--ca', 'ca.crt');
  if (code !== 0) throw new Error(err);
});

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true });
});

const portcullis = (...words: string[]) => runProgram(words, { cwd: folder, env });
const running: Started[] = [];

/** Starts the service, waits until it answers, and writes a context for everybody. */
async function serve(...words: string[]) {
  const started = start(['serve', '--listen-admin', '127.0.0.1:0', ...words], { cwd: folder, env });
  running.push(started);
  const [, port] = /, admin 127\.0\.0\.1:(\d+),/.exec(await started.printed(/^portcullis \S+ answers: .*$/m))!;
  for (const name of PEOPLE)
    writeFileSync(
      file(`${name}.yaml`),
      `url: https://localhost:${port}\nca: ca.crt\ncert: ${name}.crt\nkey: ${name}.key\n`,
    );
  return { ...started, port: Number(port), end: () => (started.child.kill('SIGTERM'), started.ended) };
}

const as = (name: string, ...words: string[]) => portcullis('--context', `./${name}.yaml`, ...words);

async function json<T>(work: ReturnType<typeof portcullis>): Promise<T> {
  const { code, out, err } = await work;
  expect({ code, err: err.match(/^error.*/m)?.[0] }).toEqual({ code: 0, err: undefined });
  return JSON.parse(out) as T;
}

interface Named {
  readonly id: string;
  readonly state: string;
  readonly grantId: string | null;
}

test('several people ask, approve, look and revoke over the real service, and what they did outlives it', async () => {
  const first = await serve();
  const asked = await json<Named>(
    as('alice', 'request', 'orders-db', '--for', '2h', '--reason', 'count', '-o', 'json'),
  );
  expect((await as('alice', 'approve', asked.id)).code).toBe(EXIT.notPermitted);
  const { grantId } = await json<Named>(as('bob', 'approve', '-o', 'json'));
  expect((await as('alice', 'grants', '--mine')).out).toContain(`${grantId}  active  in 2h`);

  expect(await first.end()).toMatchObject({ code: EXIT.done, signal: null });
  await serve();
  expect(await json<Named>(as('alice', 'grants', grantId!, '-o', 'json'))).toMatchObject({ state: 'active' });
  expect(await json<Named>(as('carol', 'revoke', grantId!, '--reason', 'incident', '-o', 'json'))).toMatchObject({
    state: 'ended',
    reason: 'revoked',
  });
  expect((await as('alice', 'explain', '--cert', 'alice.crt', '--resource', 'orders-db')).out).toMatch(
    /^answer {2,}deny revoked$/m,
  );
});

test('request --wait ends well when the real service has an approval', async () => {
  await serve();
  const waiting = start(['request', 'orders-db', '--reason', 'count', '--wait', '--context', './alice.yaml'], {
    cwd: folder,
    env,
  });
  await waiting.printed(/waits for bob or carol/);
  expect((await as('bob', 'approve')).code).toBe(0);
  expect(await waiting.ended).toMatchObject({ code: EXIT.done });
  expect((await waiting.ended).err).toMatch(/^approved: access to orders-db ends in 1h \(/m);
});

test('whoever can open the admin socket is the host: it locks and makes service tokens, and asks for nothing', async () => {
  await serve();
  const host = (...words: string[]) => portcullis('--admin-socket', 'run/admin.sock', ...words);
  expect((await host('lock', '--person', 'alice', '--reason', 'incident')).code).toBe(0);
  expect((await as('alice', 'explain', '--cert', 'alice.crt', '--resource', 'orders-db')).out).toMatch(
    /^answer {2,}deny locked$/m,
  );
  const { out } = await host('token', 'create', '--service', 'ci');
  expect(out).toMatch(/^pcs_\S+\n$/);
  expect((await host('request', 'orders-db', '--reason', 'x')).code).toBe(EXIT.notPermitted);
});

test('it says in one line that it answers, and logs in JSON otherwise', async () => {
  const { end } = await serve();
  const { out, err } = await end();
  expect(out).toBe('');
  const plain = err
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  expect(plain).toEqual([
    expect.stringMatching(
      /^portcullis \S+ answers: authz unix:\S+, guard unix:\S+, adminSocket unix:\S+, admin 127\.0\.0\.1:\d+, metrics 127\.0\.0\.1:\d+$/,
    ),
  ]);
});

test('SIGHUP reads the policies again; broken ones change nothing and are named', async () => {
  const service = await serve();
  const policy = readFileSync(file('policy/example.yaml'), 'utf8');
  writeFileSync(file('policy/example.yaml'), policy.replace('prod:\n    who', 'prod:\n    whom'));
  service.child.kill('SIGHUP');
  await service.printed(/those from before stay in force:\n.*example\.yaml:\d+:\d+ policies\.prod/);
  expect((await as('alice', 'request', 'orders-db', '--for', '4h', '--reason', 'x')).code).toBe(0);
  writeFileSync(file('policy/example.yaml'), policy.replace('max: 4h', 'max: 2h'));
  service.child.kill('SIGHUP');
  await service.printed(/"policies loaded"/);
  expect((await as('alice', 'request', 'orders-db', '--for', '3h', '--reason', 'x')).code).toBe(EXIT.usage);
});

test('SIGHUP while it starts ends nothing: the policies are read again as soon as it has started', async () => {
  const service = start(['serve', '--listen-admin', '127.0.0.1:0'], { cwd: folder, env });
  running.push(service);
  await service.printed(/"in contact with guards"/);
  service.child.kill('SIGHUP');
  await service.printed(/portcullis \S+ answers:/);
  await service.printed(/"policies loaded"/);
  service.child.kill('SIGTERM');
  expect(await service.ended).toMatchObject({ code: EXIT.done, signal: null });
});

test('told a second time, it ends at once', async () => {
  const service = await serve();
  // A call that never arrives whole keeps a server from closing for a while.
  const slow = connect({ host: 'localhost', port: service.port, ca: ca.pem }).on('error', () => undefined);
  await new Promise((done) => slow.once('secureConnect', done));
  slow.write('GET /v1/whoami HTTP/1.1\r\n');
  service.child.kill('SIGTERM');
  await new Promise((done) => setTimeout(done, 700));
  expect(service.child.exitCode).toBeNull();
  service.child.kill('SIGINT');
  expect(await service.ended).toMatchObject({ code: EXIT.interrupted, signal: null });
  slow.destroy();
});

test('told twice in a breath, as npm passes on what a terminal has sent, it still ends in order', async () => {
  const service = await serve();
  service.child.kill('SIGINT');
  service.child.kill('SIGINT');
  service.child.kill('SIGTERM');
  expect(await service.ended).toMatchObject({ code: EXIT.done });
});

test.for<[string, () => string[], RegExp]>([
  ['an address that is taken', () => ['--listen-authz', 'unix:./portcullis.yaml'], /^listen\.authz: .*is no socket/m],
  ['a policy folder without policies', () => ['--policy', 'keys'], /^.*keys: expected a file \*\.yaml/m],
  ['a setting that means nothing', () => ['--log-level', 'loud'], /^--log-level log\.level: expected trace/m],
  ['no configuration', () => ['--config', 'none.yaml'], /^none\.yaml: cannot read the configuration/m],
  [
    'a key that others can read',
    () => (chmodSync(file('keys/store.key'), 0o644), []),
    /^storage\.macKey: MAC key file .* is open to others/m,
  ],
  [
    'a certificate and the key of another',
    () => (writeFileSync(file('server.key'), clientOf(ca, 'spiffe://corp/x').keyPem), []),
    /^listen\.admin\.tls: ".*server\.key" is not the key of the certificate in ".*server\.crt"; .*$/m,
  ],
  ['a CA that is none', () => (writeFileSync(file('ca.crt'), 'none'), []), /^trust: /m],
])('with %s it does not start, says why, and ends with 2', async ([, words, message]) => {
  const { code, out, err } = await portcullis('serve', '--listen-admin', '127.0.0.1:0', ...words());
  expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
  expect(err).toMatch(message);
  expect(err).not.toContain('    at ');
  expect(err).not.toContain('answering checks');
});

test('on a port that is taken it does not start', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const { port } = taken.address() as AddressInfo;
  const { code, err } = await portcullis('serve', '--listen-admin', `127.0.0.1:${port}`);
  taken.close();
  expect(code).toBe(EXIT.usage);
  expect(err).toContain(`listen.admin: cannot listen on 127.0.0.1:${port}: the address is in use`);
  expect(err).not.toContain('answering checks');
});

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

test.skipIf(!canLimit)('when its storage fails it ends with 70 (skipped without prlimit)', async () => {
  const service = await serve();
  // From now on no file of this process may be written to: what the disk does when it has had enough.
  spawnSync('prlimit', ['--pid', String(service.child.pid), '--fsize=1:1']);
  const { code } = await as('alice', 'request', 'orders-db', '--reason', 'x');
  expect(code).toBe(EXIT.serviceFailed);
  expect(await service.ended).toMatchObject({ code: EXIT.serviceFailed, signal: null });
});
