import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
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

function startDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, [...program, ...args], {
    env: { ...process.env, ENVOY_BIN: envoys[0]!.command, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  onTestFinished(async () => {
    child.kill('SIGINT');
    await ended;
  });
  return { child, said: () => text, ended };
}

/** Until it has printed its tour; gives the commands by what stands in front of them, and the folder. */
async function ready(demo: Demo) {
  await until(() => demo.said().includes('Ctrl-C ends it'), 'the tour', 30_000);
  const line = (word: string) => new RegExp(`^\\d +${word}: +(.*)$`, 'm').exec(demo.said())![1]!;
  const folder = /Everything lies in (\S+)\./.exec(demo.said())![1]!;
  return { folder, refused: line('refused'), ask: line('ask'), approve: line('approve'), allowed: line('allowed') };
}

function paste(command: string): string {
  const quiet = command
    .replace(/^curl /, 'curl -sS ')
    .replace('npm exec portcullis --', `${process.execPath} ${program[0]}`);
  const { stdout, stderr } = spawnSync('sh', ['-c', quiet], { encoding: 'utf8' });
  return stdout + stderr;
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

  test('two run at once', async () => {
    const [one, other] = [startDemo(), startDemo()];
    for (const { refused } of [await ready(one), await ready(other)]) expect(paste(refused)).toContain('no_grant');
  });

  test('the tour plays itself to its end', async () => {
    const demo = startDemo('--tour');
    expect(await demo.ended, demo.said()).toBe(0);
    expect(demo.said()).toContain('every step went as it should');
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
