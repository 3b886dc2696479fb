import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { known, openClient } from '../../bench/cuts/client.js';
import { echoes, echoStage, missing } from './stage.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-clock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const library = join(folder, 'shifted-clock.so');
const COMPILER = 'cc';
const { status } = spawnSync(COMPILER, ['-shared', '-fPIC', '-O2', '-o', library, 'test/long/shifted-clock.c']);
const why = missing || (status === 0 ? '' : 'there is no C compiler');

describe.skipIf(why !== '')(`an Envoy on a host whose clock is wrong${why && ` (${why})`}`, () => {
  test.for([
    ['an hour ahead', 3_600],
    ['an hour behind', -3_600],
  ] as const)('%s: nobody is cut early, and everybody at their end', async ([, seconds]) => {
    const env = { LD_PRELOAD: library, SHIFT_SECONDS: String(seconds) };
    const { stage, echo } = await echoStage({ gate: 2, plain: 2, 'gate-brief': 0, 'plain-brief': 0 }, { env });
    const { home, portOf, admin } = stage;
    const open = (resource: string, user: number) => openClient({ home, port: portOf(resource), user }, 'first\n');
    const long = [await open('gate', 0), await open('plain', 0)];
    const cut = [await open('gate', 1), await open('plain', 1)];
    for (const resource of ['gate-brief', 'plain-brief']) {
      const endsAt = await admin.grant(0, resource, '4s');
      const brief = await open(resource, 0);
      const closedAt = await known(() => echo.closedAt(brief.connection), 'the end');
      expect(closedAt - endsAt).toBeGreaterThanOrEqual(-5);
      expect(closedAt - endsAt).toBeLessThan(500);
    }
    for (const [i, resource] of ['gate', 'plain'].entries()) {
      const { at } = await admin.revoke(home.grantOf(1, resource));
      expect((await known(() => echo.closedAt(cut[i]!.connection), 'the cut')) - at).toBeLessThan(500);
    }
    for (const client of long) expect(await echoes(client)).toBe(true);
    // It does have another time than we.
    const spoken = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/m.exec(stage.envoy.log());
    if (spoken) expect(Math.abs(Date.parse(`${spoken[1]}T${spoken[2]}Z`) - Date.now())).toBeGreaterThan(3_000_000);
  });
});
