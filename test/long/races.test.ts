import { describe, expect, test } from 'vitest';
import { dial, pause } from '../../bench/cuts/client.js';
import { revokeGrant } from '../../src/access/end-grant.js';
import type { GrantId } from '../../src/domain/ids.js';
import { until } from '../e2e/envoy.js';
import { guardScene } from '../guard-service/scene.js';
import { echoStage, missing } from './stage.js';

const HOST = { kind: 'host' } as const;

test('of 10,000 sessions whose revoke fell between their allow and the word of their guard, none survives', async () => {
  // Ten services: a store in memory gets slower with what is in it.
  for (let n = 0; n < 10; n++) {
    const { refused, over, alarms } = await race(1_000);
    // In all others it was the service that had to notice.
    expect(refused).toBeLessThan(800);
    expect([over, alarms]).toEqual([null, []]);
  }
});

/** Until nothing lives any more; how many the guard itself has turned away, which had heard of the cut by then. */
async function race(rounds: number) {
  const scene = await guardScene();
  const guard = await scene.connected();
  const one = await scene.grant();
  await revokeGrant(scene.needed, HOST, { id: one.id }, null);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const id = `gr_${String(round).padStart(26, '0')}` as GrantId;
    await scene.store.change(scene.clock.read().wall, (change) =>
      change.record(HOST, { action: 'grant.created', grant: { ...one, id, revision: change.nextSequence } }),
    );
    // What the answer of the check knew: the grant, and not its end.
    const asOf = scene.sequence();
    const revoked = revokeGrant(scene.needed, HOST, { id }, null);
    for (let i = 0; i < round % 7; i++) await new Promise((resolve) => setImmediate(resolve));
    if (guard.enter(id, { asOf }) === null) refused += 1;
    await revoked;
  }
  await until(() => guard.sessions.size === 0, `the last cuts (${JSON.stringify(guard.over)})`, 20_000);
  await until(() => scene.live().length === 0, 'the last ends', 20_000);
  return { refused, over: guard.over, alarms: scene.alarms };
}

describe.skipIf(missing !== '')(`in a real Envoy${missing && ` (${missing})`}`, () => {
  test('of 500 connections that come while their grant is revoked, none survives', async () => {
    const rounds = 500;
    const { stage, echo } = await echoStage({ gate: rounds + 1 });
    let gotIn = 0;
    for (let user = 1; user <= rounds; user++) {
      const socket = dial({ home: stage.home, port: stage.portOf('gate'), user });
      let isIn = false;
      socket.once('data', () => (isIn = true));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      await pause(Math.random() * 15);
      await stage.admin.revoke(stage.home.grantOf(user, 'gate'));
      await Promise.race([closed, pause(2_000)]);
      expect(socket.destroyed).toBe(true);
      if (isIn) gotIn += 1;
    }
    await until(() => echo.open() === 0, 'the end of all', 1_000);
    // Both happened, so the revoke fell between them often enough.
    expect(gotIn).toBeGreaterThan(5);
    expect(gotIn).toBeLessThan(rounds - 5);
  });
});
