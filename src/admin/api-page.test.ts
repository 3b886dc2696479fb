import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { subject } from '../../test/builders.js';
import { adminPolicies, adminScene } from '../../test/openapi/scene.js';
import { certificates, listenOn } from '../../test/openapi/tls.js';
import { MAX_BEHIND } from '../access/events/events.js';
import { NAMED_IN_LISTS } from '../access/list-requests.js';
import { REQUEST_QUOTA, TOKEN_QUOTA } from '../access/quota.js';
import { DEFAULT_LIMITS } from './limits.js';
import { createAdmin } from './server.js';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```sh\n(.*?)```\n\n```json\n(.*?)```/gs)].map(([, script, output]) => ({
  script: script!,
  output: JSON.parse(output!) as unknown,
}));

/** Between what two examples print. */
const SEPARATOR = '\u001e';

const tools = ['curl', 'jq', 'bash'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
const required = (process.env['PORTCULLIS_REQUIRE'] ?? '').split(',').includes('curl');
const skipped = tools.length > 0 && !required;

// The people of the page: alice has one certificate there, and bob is alone in reviewing.
const base = adminPolicies();
const policies = {
  ...base,
  directory: {
    ...base.directory,
    subjectsOf: new Map([...base.directory.subjectsOf, ['alice' as never, [subject('alice')]] as const]),
    groups: new Map([...base.directory.groups, ['sre' as never, new Set(['bob' as never])] as const]),
  },
};
const certs = certificates();
const limits = { streamMs: 60_000 };
const scene = adminScene({ door: certs.door, identifier: certs.identifier, policies, limits });
const host = createAdmin({ ...scene.parts, door: { kind: 'socket' } });
const folder = mkdtempSync(join(tmpdir(), 'api-page-'));
let port = 0;

beforeAll(async () => {
  port = await listenOn(scene.app);
  await host.listen({ path: join(folder, 'admin.sock') });
  writeFileSync(join(folder, 'ca.crt'), certs.ca.pem);
  for (const name of ['alice', 'bob']) {
    const { pem, keyPem } = certs.client(name);
    writeFileSync(join(folder, `${name}.crt`), pem);
    writeFileSync(join(folder, `${name}.key`), keyPem, { mode: 0o600 });
  }
});
afterAll(async () => {
  await Promise.all([scene.app.close(), host.close()]);
  rmSync(folder, { recursive: true });
});

/** Runs all examples in one shell, as somebody would who follows the page; gives what each of them printed. */
function run(): Promise<string[]> {
  const script = blocks.map((block) => `${block.script}\nprintf '\\036'`).join('\n');
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', API: `https://localhost:${port}` };
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
    let printed = '';
    let errors = '';
    shell.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    shell.on('error', reject);
    shell.on('close', (code) =>
      code === 0 ? resolve(printed.split(SEPARATOR).slice(0, -1)) : reject(new Error(`${errors}\n${printed}`)),
    );
  });
}

test(`the page has examples, and each says what it prints`, () => {
  expect(blocks.length).toBeGreaterThanOrEqual(9);
  expect(page.match(/```sh\n/g)).toHaveLength(blocks.length);
});

test.skipIf(skipped)(`the examples of the page print what it says (needs curl, jq and bash)`, async () => {
  const printed = await run();
  expect(printed).toHaveLength(blocks.length);
  for (const [i, { output }] of blocks.entries()) expect(JSON.parse(printed[i]!)).toMatchObject(output as object);
});

test('the limits that the page tells are those of the service', () => {
  const { bodyBytes, burst, perSecond, readBurst, readsPerSecond, streams, streamsEach, heartbeatMs } = DEFAULT_LIMITS;
  const text = page.replaceAll(/\s+/g, ' ');
  expect(page).toContain(`at most ${bodyBytes / 1_024} KiB`);
  expect(text).toContain(`${burst} changes at once and ${perSecond} a second`);
  expect(text).toContain(`${readBurst} calls that read and ${readsPerSecond} a second`);
  expect(text).toContain(`${REQUEST_QUOTA.perDay} requests and ${TOKEN_QUOTA.perDay} tokens`);
  expect(text).toContain(`names ${NAMED_IN_LISTS} at most`);
  expect(text).toContain(`${streamsEach} streams of one actor and ${streams} at one door`);
  expect(text).toContain(`Every ${heartbeatMs / 1_000} s comes a comment`);
  expect(text).toContain(`more than an hour or ${MAX_BEHIND} changes`);
});
