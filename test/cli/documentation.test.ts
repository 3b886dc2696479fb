import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisionRecord, draft } from '../builders.js';
import { contextLayer } from '../../src/cli/connection/context-file.js';
import { PROGRAM, startCommand } from './program.js';
import { openService, type CliService, type Player } from './service.js';
import { player } from './typed.js';

/** One fenced block of the page: its language, its text, and where it begins. */
const blocks = [...readFileSync('docs/cli.md', 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, language, text], i) => ({ language: language!, text: text!, name: `${i + 1}: ${text!.split('\n')[0]}` }),
);

let service: CliService;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  service = await openService();
  mkdirSync(service.file('portcullis/contexts'), { recursive: true });
  const as: Readonly<Record<string, Player>> = { alice: 'alice', bob: 'bob', operator: 'carol', auditor: 'erin' };
  for (const [name, who] of Object.entries(as)) {
    const context = { ca: 'ca.crt', cert: `${who}.crt`, key: `${who}.key` };
    const lines = Object.entries(context).map(([key, file]) => `${key}: ${service.file(file)}\n`);
    writeFileSync(service.file(`portcullis/contexts/${name}.yaml`), `url: ${service.url}\n${lines.join('')}`);
  }
  env = {
    XDG_CONFIG_HOME: service.folder,
    PORTCULLIS_CONTEXT: 'alice',
    // Ports that are free, whatever else runs here.
    PORTCULLIS_LISTEN_ADMIN: '127.0.0.1:0',
    PORTCULLIS_LISTEN_METRICS: '127.0.0.1:0',
    PORTCULLIS_STORAGE_ALLOW_VOLATILE: 'true',
  };
  await service.store.recordDecisions([decisionRecord(1)]);
});
afterAll(() => service.close());

test('the page has examples', () => {
  expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(10);
});

test.for(blocks.filter(({ language }) => language === 'yaml'))('context $name', async ({ text }) => {
  writeFileSync(service.file('of-the-page.yaml'), text);
  const layer = await contextLayer('./of-the-page.yaml', {}, service.folder);
  expect(layer.values).toMatchObject({ url: 'https://portcullis.corp.example:8180', ca: service.file('ca.crt') });
});

test.for(blocks.filter(({ language }) => language === 'sh'))('$name', { timeout: 60_000 }, async ({ text }) => {
  for (const line of text.trimEnd().split('\n')) await prepared(line);
  const program = `portcullis() { ${PROGRAM.map((word) => JSON.stringify(word)).join(' ')} "$@"; }`;
  // What runs until it is ended takes the place of the shell, so that it gets the signal.
  const script = withRealIds(text).replace(/^portcullis (.*(?:--watch|serve).*)$/gm, 'exec "${PROGRAM[@]}" $1');
  const words = PROGRAM.map((word) => JSON.stringify(word)).join(' ');
  const lines = `set -euo pipefail\nPROGRAM=(${words})\n${program}\n${script}`;
  const running = startCommand('bash', ['-c', lines], { cwd: service.folder, env });
  if (/requests --watch/.test(text)) {
    await player(service)('alice', 'request', 'orders-db', '--for', `${++made}m`);
    await running.printed(/"state":"pending"/);
    running.child.kill('SIGINT');
    return expect(await running.ended).toMatchObject({ code: 0, err: '' });
  }
  if (/--watch/.test(text)) {
    // The watching begins with what is new, so something new is made until it is seen.
    let number = 10;
    const making = setInterval(() => void service.store.recordDecisions([newDecision(++number)]), 200);
    await running.printed(/"effect":"deny"/).finally(() => clearInterval(making));
    running.child.kill('SIGTERM');
    return expect((await running.ended).err).toBe('');
  }
  if (/ serve /.test(text)) {
    await running.printed(/portcullis \S+ answers: /);
    running.child.kill('SIGTERM');
  }
  if (/--wait/.test(text)) {
    await running.printed(/ waits for /);
    expect((await player(service)('bob', 'approve')).code).toBe(0);
  }
  const { code, out, err } = await running.ended;
  expect({ code, out, err }).toMatchObject({ code: 0 });
});

const newDecision = (number: number) => {
  service.clock.advance(1 as never);
  return decisionRecord(number, { at: service.clock.read().wall });
};

/** What the page takes for granted: that somebody has asked before something is approved, and so on. */
async function prepared(line: string): Promise<void> {
  const as = player(service);
  if (/ (?:approve|deny)\b/.test(line)) {
    await withdrawAll();
    await as('alice', 'request', 'orders-db', '--reason', `for ${line}`, '--for', `${++made}m`);
  }
  if (/ --wait/.test(line)) await withdrawAll();
  if (/ (?:grants|revoke|return) /.test(line)) {
    await withdrawAll();
    await as('alice', 'request', 'orders-db', '--for', `${++made}m`);
    expect((await as('bob', 'approve')).code).toBe(0);
  }
  if (/ (?:--draft|dismiss) /.test(line)) {
    await withdrawAll();
    await service.store.change(service.clock.read().wall, (change) => change.keepDraft(draft()));
  }
  if (/ withdraw /.test(line)) await as('alice', 'request', 'orders-db', '--for', `${++made}m`);
  if (/ unlock /.test(line)) await as('carol', 'lock', '--person', 'dave', '--reason', 'x');
  if (/ token revoke /.test(line)) await as('alice', 'token', 'create');
}

let made = 0;

async function withdrawAll(): Promise<void> {
  const as = player(service);
  const { out } = await as('alice', 'requests', '--mine', '--state', 'pending', '-o', 'json');
  for (const { id } of JSON.parse(out) as { id: string }[]) await as('alice', 'withdraw', id);
}

/** Ids on the page stand for whatever was made last. */
function withRealIds(text: string): string {
  const newest = service.store.read((snapshot) => ({
    req: snapshot.requests({ limit: 1, keep: ({ settled }) => settled === null }).items[0]?.id,
    gr: snapshot.grants({ limit: 1 }).items[0]?.id,
    lock: snapshot.locks().at(-1)?.id,
    tok: snapshot.tokens({ limit: 500 }).items.at(-1)?.id,
    dec: decisionRecord(1).id,
    dft: draft().id,
  }));
  return text.replace(
    /\b(req|gr|lock|tok|dec|dft)_[0-9a-z]{26}\b/g,
    (id, kind: keyof typeof newest) => newest[kind] ?? id,
  );
}

test('a file that the page writes is there', () => {
  for (const name of ['alice.token', 'ci-runner.json', 'portcullis.bash', 'new/portcullis.yaml', 'envoy/lds.yaml'])
    expect(readFileSync(join(service.folder, name), 'utf8')).not.toBe('');
});
