import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { envoysForTests, until } from './envoy.js';

// What the README shows first, run as a user does: the built program, and its lines pasted into a shell.

const { envoys, missing } = await envoysForTests();
const curl = spawnSync('curl', ['--version']).status === 0 ? '' : 'curl is not installed';
const program = [resolve('bin/portcullis.js'), 'demo'];

interface Demo {
  readonly child: ChildProcess;
  said(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** As npm starts it: then no name of the program is in anybody's path. */
function startDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, [...program, ...args], {
    env: { ...process.env, ENVOY_BIN: envoys[0]!.command, NO_COLOR: '1', npm_command: 'start' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  onTestFinished(async () => {
    child.kill('SIGINT');
    await ended;
    const folder = /lies in (\S+)$/m.exec(text)?.[1];
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return { child, said: () => text, ended };
}

/** Until it has printed its tour; gives the commands by what stands in front of them, and the folder. */
async function ready(demo: Demo) {
  await until(() => demo.said().includes('Ctrl-C ends it'), 'the tour', 30_000);
  const line = (word: string) => new RegExp(`^\\d +${word}: +(.*)$`, 'm').exec(demo.said())![1]!;
  const folder = /Everything lies in (\S+)\./.exec(demo.said())![1]!;
  return {
    line,
    folder,
    refused: line('refused'),
    ask: line('ask'),
    approve: line('approve'),
    allowed: line('allowed'),
  };
}

/** A shell in a folder that has nothing to do with the sources, with nothing of npm. */
const elsewhere = { cwd: tmpdir(), env: { PATH: process.env['PATH'], HOME: tmpdir() } };

function paste(command: string): string {
  const quiet = command.replace(/^curl /, 'curl -sS ');
  const { stdout, stderr } = spawnSync('sh', ['-c', quiet], { ...elsewhere, encoding: 'utf8' });
  return stdout + stderr;
}

/** Pastes what goes on until it is ended from elsewhere. */
function pasteAndWatch(command: string) {
  const child = spawn('sh', ['-c', `exec ${command}`], { ...elsewhere, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  return { said: () => text, ended: new Promise<number | null>((done) => child.once('close', (code) => done(code))) };
}

/** Processes that have this folder in their command line. */
function processesOf(folder: string): string {
  return spawnSync('pgrep', ['-af', folder], { encoding: 'utf8' }).stdout;
}

describe.skipIf(missing !== '' || curl !== '')(`the demo${missing || curl ? ` (${missing || curl})` : ''}`, () => {
  test('its lines can be pasted: refused, asked, approved, let through, refused again; Ctrl-C leaves nothing running', async () => {
    const demo = startDemo();
    const { folder, refused, ask, approve, allowed } = await ready(demo);
    expect(paste(refused)).toContain('access denied (no_grant)');
    expect(paste(ask.replace('--for 1m', '--for 3s'))).toContain('pending');
    expect(paste(approve)).toContain('approved: access to billing-api');
    const approvedAt = performance.now();
    expect(paste(allowed)).toBe('hello from billing-api\n');
    await new Promise((done) => setTimeout(done, 3_050 - (performance.now() - approvedAt)));
    expect(paste(allowed)).toContain('access denied (expired)');
    expect(processesOf(folder)).toContain('envoy');
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(0);
    expect(processesOf(folder)).toBe('');
    expect(existsSync(folder)).toBe(true);
  });

  test('its lines on TCP can be pasted: she asks, is let in, is seen, and is cut with the reason that is given', async () => {
    const demo = startDemo();
    const { line, approve } = await ready(demo);
    const connected = pasteAndWatch(line('connect'));
    await until(() => connected.said().includes('waits for bob'), 'the request', 20_000);
    expect(paste(approve)).toContain('approved: access to orders-db');
    await until(() => connected.said().includes('220 orders-db is ready'), 'the session', 20_000);
    expect(paste(line('watch'))).toMatch(/^ses_\w+ +live .* orders-db /m);
    await until(() => /^8 +revoke: +\S+ .* revoke gr_\w+ /m.test(demo.said()), 'the line that revokes', 20_000);
    const [, revoke] = /^8 +revoke: +(.* revoke gr_.*)$/m.exec(demo.said())!;
    expect(paste(revoke!)).toContain('revoked');
    expect(await connected.ended).toBe(3);
    expect(connected.said()).toMatch(/^error: the session to orders-db was cut: revoked: .* by carol: "incident 7"$/m);
  });

  test('killed it takes its Envoy with it', async () => {
    const demo = startDemo();
    const { folder } = await ready(demo);
    expect(processesOf(folder)).toContain('envoy');
    demo.child.kill('SIGKILL');
    await expect.poll(() => processesOf(folder), { timeout: 10_000 }).toBe('');
    rmSync(folder, { recursive: true });
  });

  test('its lines name a program by its path: npm would look for a name in a registry', async () => {
    const demo = startDemo();
    const { folder } = await ready(demo);
    const called = demo.said().match(/(?<=: +)\S.*(?= --context )/g)!;
    expect(called.length).toBeGreaterThan(3);
    for (const command of called) expect(command).toContain(`${program[0]} `);
    expect(demo.said()).not.toMatch(/\bnp[mx] /);
    // No half of a disk is kept back for it.
    expect(statSync(join(folder, 'data/reserve')).size).toBeLessThanOrEqual(65_536);
    expect(readFileSync(join(folder, 'alice.yaml'), 'utf8')).toContain('via: localhost');
    demo.child.kill('SIGINT');
    await demo.ended;
    expect(demo.said()).toContain(`rm -r ${folder}`);
  });

  test('two run at once', async () => {
    const [one, other] = [startDemo(), startDemo()];
    for (const { refused } of [await ready(one), await ready(other)]) expect(paste(refused)).toContain('no_grant');
  });

  test('the tour plays itself to its end', async () => {
    const demo = startDemo('--tour');
    expect(await demo.ended, demo.said()).toBe(0);
    expect(demo.said()).toContain('every step went as it should');
  });

  test('a folder that cannot be used is an error in one line, and nothing is made of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-demo-test-'));
    const used = join(folder, 'used');
    mkdirSync(used);
    writeFileSync(join(used, 'mine'), '');
    const long = join(folder, 'x'.repeat(100));
    for (const [dir, message] of [
      [used, 'is not empty; name another folder, or remove it'],
      [join(used, 'mine'), 'cannot use'],
      [long, 'is too long for the sockets in it'],
    ] as const) {
      const env = { ...process.env, ENVOY_BIN: envoys[0]!.command };
      const { status, stderr } = spawnSync(process.execPath, [...program, '--dir', dir], { encoding: 'utf8', env });
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) as string });
      expect(stderr).toMatch(/^error: (?!unexpected).*\n$/);
    }
    expect(existsSync(long)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test('without an Envoy the tour says what to do and fails', async () => {
    const child = spawnSync(process.execPath, [...program, '--tour'], {
      encoding: 'utf8',
      env: { ...process.env, ENVOY_BIN: '/nowhere/envoy' },
    });
    expect(child.status).not.toBe(0);
    expect(child.stdout + child.stderr).toContain('name another in ENVOY_BIN');
  });
});
