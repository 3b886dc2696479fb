import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { envoysForTests, freePorts } from './envoy.js';

// docs/first-steps.md as somebody follows it who has only just heard of this: the built program in an empty folder.

const { envoys, missing } = await envoysForTests();
const tools = ['curl', 'openssl', 'jq', 'bash'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
const lacking = missing || (tools.length > 0 ? `no ${tools.join(', ')}` : '');

const page = readFileSync('docs/first-steps.md', 'utf8');
/** What is typed, and the lines that it prints among others; `…` stands for anything. */
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm)].map(
  ([, script, printed]) => ({ script: script!, printed: printed?.trimEnd().split('\n') ?? [] }),
);

const home = mkdtempSync(join(tmpdir(), 'portcullis-first-'));
const folder = join(home, 'new');
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('the page has commands from init to a cut, and says what they print', () => {
  const all = blocks.map(({ script }) => script).join('');
  for (const command of ['init', 'config check', 'serve', 'envoy config', 'request', 'approve', 'connect', 'revoke'])
    expect(all).toContain(`portcullis ${command} `.trimEnd());
  expect(blocks.filter(({ printed }) => printed.length > 0).length).toBeGreaterThan(5);
});

describe.skipIf(lacking !== '')(`docs/first-steps.md${lacking && ` (${lacking})`}`, () => {
  test(
    'leads to an allow, a cut, and an allow for a person and a resource that were added',
    { timeout: 120_000 },
    async () => {
      const withPorts = await portsInstead();
      writePrograms(envoys.at(-1)!.command, withPorts.sed);
      const outputs = await play(blocks.map(({ script }) => withPorts.text(script)));
      for (const [i, { printed, script }] of blocks.entries())
        for (const line of printed) expect(outputs[i], `printed by:\n${script}`).toMatch(pattern(line));
      expect(outputs).toHaveLength(blocks.length);
    },
  );
});

/** Other things run on this machine: each port of the page becomes a free one. */
async function portsInstead() {
  const named = ['8180', '8181', '8443', '9901', '15432', '5432', '8080'] as const;
  const free = await freePorts(...named);
  return {
    text: (text: string) =>
      text.replace(new RegExp(`\\b(${named.join('|')})\\b`, 'g'), (port) => String(free[port as never])),
    sed: named.map((port) => `s/\\b${port}\\b/@${free[port]}/g`).join(';') + ';s/@//g',
  };
}

/** The program by its name, which besides makes the ports of its first files the free ones; and Envoy, which may run twice here. */
function writePrograms(envoy: string, ports: string): void {
  mkdirSync(join(home, 'bin'));
  mkdirSync(folder);
  const program = `"${process.execPath}" "${resolve('bin/portcullis.js')}" "$@"`;
  const first = 'portcullis.yaml policy/example.yaml people/*.yaml';
  const write = (name: string, text: string) => writeFileSync(join(home, 'bin', name), text, { mode: 0o755 });
  write(
    'portcullis',
    `#!/bin/bash\nif [ "$1" = init ]; then ${program} && sed -i '${ports}' ${first}; else exec ${program}; fi\n`,
  );
  write('envoy', `#!/bin/bash\nexec "${envoy}" "$@" --disable-hot-restart --concurrency 1\n`);
}

/** Runs all blocks in one shell; gives what each has printed. Nothing of it runs any more then. */
async function play(scripts: readonly string[]): Promise<string[]> {
  const separator = '\u001e';
  const script = scripts.map((block) => `${block}\nprintf '\\036'\n`).join('');
  const { PATH, HOME } = process.env;
  const env = { PATH: `${home}/bin:${PATH}`, HOME, PORTCULLIS_STORAGE_ALLOW_VOLATILE: 'true' };
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], { cwd: folder, env, detached: true });
  let printed = '';
  shell.stdout.on('data', (part: Buffer) => (printed += part.toString()));
  // Of the shell, not of its streams: a process that it has left behind would hold those open.
  const timer = setTimeout(() => process.kill(-shell.pid!, 'SIGKILL'), 100_000);
  const code = await new Promise<number | null>((done) => shell.once('exit', done));
  clearTimeout(timer);
  await new Promise((done) => setTimeout(done, 100));
  try {
    process.kill(-shell.pid!, 'SIGKILL');
  } catch {
    // All have ended by themselves.
  }
  const log = (name: string) => spawnSync('tail', ['-n', '5', join(folder, name)], { encoding: 'utf8' }).stdout;
  expect(code, `${printed}\n${log('service.log')}\n${log('envoy.log')}\n${log('session.txt')}`).toBe(0);
  return printed.split(separator).slice(0, -1);
}

function pattern(line: string): RegExp {
  const parts = line.split('…').map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'));
}
