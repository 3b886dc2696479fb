import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCommand } from '../cli/program.js';
import { envoysForTests } from '../e2e/envoy.js';
import { programsForTests } from './programs.js';
import { startMariadb } from './servers/mariadb.js';
import { startOpenssh } from './servers/openssh.js';
import { startPostgres } from './servers/postgres.js';
import { startRedis } from './servers/redis.js';
import type { RealServer } from './servers/server.js';
import { openStage, type Stage } from './stage.js';

const { envoys, missing: noEnvoy } = await envoysForTests();
const servers = programsForTests(
  'postgres',
  'initdb',
  'mariadbd',
  'mariadb-install-db',
  'redis-server',
  'sshd',
  'ssh-keygen',
);
const clients = programsForTests('psql', 'mariadb', 'redis-cli', 'ssh');
const missing = noEnvoy || servers.missing || clients.missing;

const page = readFileSync('docs/connect.md', 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);

test('the page is short and has examples', () => {
  expect(page.split('\n').length).toBeLessThan(110);
  expect(blocks.length).toBeGreaterThan(2);
});

describe.skipIf(missing !== '')(`docs/connect.md${missing && ` (${missing})`}`, () => {
  const running: RealServer[] = [];
  let stage: Stage;

  beforeAll(async () => {
    const ssh = await startOpenssh(servers.programs);
    running.push(ssh);
    const [orders, shop, cache] = await Promise.all([
      startPostgres(servers.programs),
      startMariadb(servers.programs),
      startRedis(servers.programs),
    ]);
    running.push(orders, shop, cache);
    const behind = Object.entries({ 'orders-db': orders, 'shop-db': shop, cache, box: ssh });
    stage = await openStage(
      envoys.at(-1)!,
      behind.map(([name, { port }]) => ({ name, kind: 'tcp', upstream: port })),
    );
    for (const [name] of behind) await stage.grant(name);
    writeSshClient(stage, ssh.options, ssh.user);
  });
  afterAll(async () => {
    await stage?.stop();
    for (const server of running) await server.stop();
  });

  test.for(blocks.map((text) => [text.split('\n')[0]!, text] as const))('%s', async ([, text]) => {
    const script = `set -euo pipefail\n${text}`;
    const { code, out, err } = await startCommand('bash', ['-c', script], { cwd: stage.folder, env: stage.env }).ended;
    expect({ code, out, err }).toMatchObject({ code: 0 });
    expect(err).toMatch(/^access to \S+ ends in /m);
  });
});

/** What a person has in `~/.ssh`; ssh looks in the home of the user, whatever HOME says. */
function writeSshClient({ file }: Stage, options: readonly string[], user: string): void {
  const words = [clients.programs.ssh, ...options, '-o', `User=${user}`].map((word) => `'${word}'`).join(' ');
  writeFileSync(file('ssh'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
}
