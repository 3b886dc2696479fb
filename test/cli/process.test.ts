import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisionRecord } from '../builders.js';
import { EXIT } from '../../src/cli/exit-codes.js';
import { PROGRAM, runProgram, start, startCommand } from './program.js';
import { openService, type CliService } from './service.js';
import { player, typed } from './typed.js';

let service: CliService;

beforeAll(async () => {
  service = await openService();
  const at = service.clock.read().wall;
  await service.store.recordDecisions(Array.from({ length: 400 }, (_, i) => decisionRecord(i, { at })));
  await player(service)('alice', 'request', 'orders-db', '--reason', 'a reason longer than any terminal that is here');
});
afterAll(() => service.close());

const where = (context: string, env = {}) => ({
  cwd: service.folder,
  env: { PORTCULLIS_CONTEXT: `./${context}.yaml`, ...env },
});
const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

describe('as a process', () => {
  test('the program prints its version, and ends', async () => {
    expect(await runProgram(['version'], where('alice'))).toMatchObject({
      code: 0,
      out: `portcullis ${version}\n`,
      err: '',
    });
  });

  test('a context in the environment says who calls', async () => {
    expect((await runProgram(['whoami'], where('bob'))).out).toMatch(/^name {2,}bob$/m);
    const none = { PORTCULLIS_CONTEXT: undefined, PORTCULLIS_ADMIN_SOCKET: 'admin.sock' };
    expect((await runProgram(['whoami'], where('bob', none))).out).toMatch(/^name {2,}host$/m);
  });

  test('a service that is not there is told from one that cannot be trusted', async () => {
    const gone = await runProgram(['whoami', '--url', 'http://127.0.0.1:1', '--token-file', 'ca.crt'], where('alice'));
    expect(gone.code).toBe(EXIT.usage);
    const [refused, untrusted, noSocket] = await Promise.all([
      runProgram(['whoami', '--url', 'https://127.0.0.1:1'], where('alice')),
      runProgram(['whoami', '--ca', 'other-ca.crt'], where('alice')),
      runProgram(['whoami', '--admin-socket', 'none.sock'], where('alice')),
    ]);
    expect(refused).toMatchObject({ code: EXIT.unreachable, out: '' });
    expect(refused.err).toContain('error: cannot reach https://127.0.0.1:1: nobody listens there\nhint: ');
    expect(untrusted).toMatchObject({ code: EXIT.unreachable, out: '' });
    expect(untrusted.err).toContain("hint: name the CA of the service's certificate with --ca\n");
    expect(noSocket.err).toContain('there is no such socket');
  });

  test('request --wait waits in real time, and ends with how it was decided', async () => {
    const as = player(service);
    const waiting = start(['request', 'vault', '--reason', 'x', '--wait'], where('dave'));
    await waiting.printed(/waits for bob or frank/);
    const { out } = await as('dave', 'requests', '--resource', 'vault', '-o', 'json');
    const [{ id }] = JSON.parse(out) as [{ id: string }];
    await as('bob', 'approve', id);
    await waiting.printed(/waits for frank \(1 of 2: bob\)/);
    await as('frank', 'deny', id, '--reason', 'use the other one');
    expect(await waiting.ended).toMatchObject({ code: EXIT.notGranted });
    expect((await waiting.ended).err).toContain('was denied by frank: "use the other one"');
    const again = start(['request', 'vault', '--reason', 'y', '--wait', '--timeout', '1s'], where('dave'));
    expect(await again.ended).toMatchObject({ code: EXIT.timedOut });
  });

  test.for([
    ['a listing', ['decisions', '--limit', '400', '-o', 'json'], 'erin'],
    ['a listing for people', ['decisions', '--limit', '400'], 'erin'],
    ['what is new', ['decisions', '--watch', '--since', '2020-01-01T00:00:00Z', '-o', 'json'], 'erin'],
  ] as const)('whoever has read enough of %s hears no complaint', async ([, words, who]) => {
    const program = [...PROGRAM, ...words].map((word) => JSON.stringify(word)).join(' ');
    const script = `${program} | head -n 1; echo "codes: \${PIPESTATUS[*]}"`;
    const { out, err } = await startCommand('bash', ['-c', script], where(who)).ended;
    expect(out).toMatch(/codes: 0 0\n$/);
    expect(err).toBe('');
  });

  test('a slow reader gets all of it', async () => {
    const program = [...PROGRAM, 'decisions', '--limit', '400', '-o', 'json']
      .map((word) => JSON.stringify(word))
      .join(' ');
    const { out } = await startCommand('bash', ['-c', `${program} | (sleep 1; cat)`], where('erin')).ended;
    expect(out.length).toBeGreaterThan(100_000);
    expect(JSON.parse(out)).toHaveLength(400);
  });

  test('in a terminal a table is coloured and fits; the same in a pipe is whole and plain', async () => {
    const words = [...PROGRAM, 'requests', '--person', 'alice'].map((word) => `'${word}'`).join(' ');
    const terminal = where('alice', { TERM: 'xterm' });
    // `script` runs a command in a terminal of its own, here of 60 columns, and copies what that shows.
    const shown = await startCommand('script', ['-qec', `stty cols 60; ${words}`, '/dev/null'], terminal).ended;
    const lines = shown.out.replaceAll('\r', '').trimEnd().split('\n');
    expect(lines[1]).toContain('\u001b[33mpending\u001b[39m');
    // oxlint-disable-next-line no-control-regex
    for (const line of lines) expect(line.replace(/\u001b\[\d+m/g, '').length).toBeLessThanOrEqual(60);
    const piped = await runProgram(['requests', '--person', 'alice'], terminal);
    expect(piped.out).not.toContain('\u001b');
    expect(piped.out).toContain('a reason longer than any terminal that is here');
  });
});

describe('bash', () => {
  test('completes a command in a shell that a person types into', async () => {
    const python = `
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(PS1='> ', TERM='dumb', INPUTRC='/dev/null')
    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
for keys in ['source ./completion.bash\\n', 'portcullis withd\\t', '\\x15exit\\n']:
    time.sleep(0.3)
    os.write(fd, keys.encode())
text = b''
try:
    while True: text += os.read(fd, 65536)
except OSError: pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(text)`;
    writeFileSync(service.file('completion.bash'), (await typed(['completion', 'bash'])).out);
    const shown = await startCommand('python3', ['-c', python], { cwd: service.folder }).ended;
    expect(shown.out).toContain('portcullis withdraw ');
  });
});

describe('bin/portcullis.js', () => {
  /** The way in, in a package of its own, with what has been built and what it asks of Node changed. */
  function way(name: string, { built = false, oldest }: { built?: boolean; oldest?: string }): string {
    const folder = service.file(name);
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    copyFileSync('bin/portcullis.js', join(folder, 'bin/portcullis.js'));
    const text = readFileSync('bin/portcullis.js', 'utf8');
    if (oldest) writeFileSync(join(folder, 'bin/portcullis.js'), text.replace('[20, 19]', oldest));
    if (built) {
      mkdirSync(join(folder, 'dist/bundle'), { recursive: true });
      writeFileSync(join(folder, 'dist/bundle/main.js'), 'console.log("built", ...process.argv.slice(2));');
    }
    return join(folder, 'bin/portcullis.js');
  }

  const run = (file: string) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, 'version']);
    return { status, out: stdout.toString(), err: stderr.toString() };
  };

  test('runs what has been built', () => {
    expect(run(way('built', { built: true }))).toEqual({ status: 0, out: 'built version\n', err: '' });
  });

  test('says how to build where nothing has been', () => {
    const { status, err } = run(way('unbuilt', {}));
    expect(status).toBe(EXIT.usage);
    expect(err).toContain('hint: in the folder of the sources run: npm install && npm run build\n');
  });

  test.for(['[99, 0]', '[20, 9999]'])('says what it needs where Node is older than %s', (oldest) => {
    const major = Number(process.versions.node.split('.')[0]);
    const { status, err } = run(
      way(`old-${oldest.length}`, { built: true, oldest: oldest.replace('20', String(major)) }),
    );
    expect(status).toBe(EXIT.usage);
    expect(err).toMatch(/^error: portcullis needs Node\.js \d+\.\d+ or newer, and this is \d+\.\d+\.\d+\n/);
  });

  test('needs the Node that the package says', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    const [, major, minor] = /\[(\d+), (\d+)\]/.exec(readFileSync('bin/portcullis.js', 'utf8'))!;
    expect(engines.node).toBe(`>=${major}.${minor}`);
  });
});
