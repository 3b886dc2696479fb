import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCommand } from '../cli/program.js';
import { envoysForTests, until } from '../e2e/envoy.js';
import { digestOf, startPiped } from './process.js';
import { programsForTests } from './programs.js';
import { openRelay, type Relay } from './relay.js';
import { startOpenssh, type SshServer } from './servers/openssh.js';
import { openStage, type Stage } from './stage.js';

const { envoys, missing: noEnvoy } = await envoysForTests();
const { programs, missing: noSsh } = programsForTests('sshd', 'ssh', 'ssh-keygen');
const missing = noEnvoy || noSsh;

describe.skipIf(missing !== '')(`ssh with connect as its ProxyCommand${missing && ` (${missing})`}`, () => {
  let server: SshServer;
  let relay: Relay;
  let stage: Stage;
  beforeAll(async () => {
    server = await startOpenssh(programs);
    relay = await openRelay(server.port);
    stage = await openStage(envoys.at(-1)!, [{ name: 'box', kind: 'tcp', upstream: relay.port }]);
  });
  afterAll(async () => {
    await stage?.stop();
    await relay?.close();
    await server?.stop();
  });
  const words = (script: string) => [
    ...server.options,
    '-o',
    'ProxyCommand=portcullis connect %h --stdio --reason "look at the log"',
    `${server.user}@box`,
    script,
  ];
  const where = () => ({ cwd: stage.folder, env: stage.env });
  const noSession = () => until(() => relay.open() === 0, 'the end of the session');

  test('logs in as soon as its request is approved, and ends with the exit code of the far command', async () => {
    const ssh = startCommand('ssh', words('echo $((6 * 7)); exit 9'), where());
    await ssh.printed(/ waits for bob;/);
    expect(relay.accepts()).toBe(0);
    await stage.approve((await stage.requests())[0]!.id);
    const { code, out, err } = await ssh.ended;
    expect({ code, out }).toEqual({ code: 9, out: '42\n' });
    expect(err).toMatch(/^access to box ends in 1h /m);
    await noSession();
  });

  test('carries files both ways, unchanged', async () => {
    const bytes = randomBytes(10_000_000);
    const { child, ended } = startPiped('ssh', words('cat'), where());
    const back = digestOf(child.stdout);
    child.stdin.end(bytes);
    expect(await back).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    expect(await ended).toBe(0);
    await noSession();
  });

  test('ends when the server is gone: it is not left waiting', async () => {
    const ssh = startCommand('ssh', words('echo begins; sleep 60'), where());
    await ssh.printed(/begins/);
    const before = relay.accepts();
    relay.drop();
    const { code, err } = await ssh.ended;
    expect(code).toBe(255);
    expect(err).toMatch(/^error: Envoy at \S+ broke the connection|Connection .*closed|closed by remote host/m);
    expect(relay.accepts()).toBe(before);
  });
});
