import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../e2e/envoy.js';
import { PlayedGuard } from '../guard-service/played-guard.js';
import { openHttp2 } from '../guard/real/clients.js';
import { startScene } from '../guard/real/scene.js';
import { startService } from '../service.js';
import { command, missing } from './stage.js';

/** A page of Wasm is 64 KiB. */
const PAGE = 65_536;

test('100,000 sessions that come and go leave nothing behind in the service', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // With its store on disk: what is written down is in memory with none of the others.
  const service = await startService({ policies: readFileSync('test/scenarios/policy.yaml', 'utf8') });
  onTestFinished(() => void service.stop());
  const asked = await service.api('alice', 'POST', '/v1/requests', { resource: 'orders-db', duration: '1h' });
  const review = { verdict: 'approve', digest: asked.body['digest'] };
  const reviewed = await service.api('bob', 'POST', `/v1/requests/${String(asked.body['id'])}/reviews`, review);
  const grant = reviewed.body['grantId'] as string;
  const guard = new PlayedGuard({ address: service.running.addresses.guard });
  onTestFinished(() => guard.close());
  await guard.connect();
  const live = async () =>
    ((await service.api('host', 'GET', '/v1/sessions?state=live')).body['items'] as readonly unknown[]).length;
  const used = async (cycles: number) => {
    for (let n = 0; n < cycles; n++) {
      guard.leave(guard.enter(grant)!);
      if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      if (n % 1_000 === 0) guard.heard.length = 0;
    }
    guard.ended.clear();
    await until(async () => (await live()) === 0, 'the end of all', 60_000);
    // What is to be written is written in the background.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    guard.heard.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await used(10_000);
  expect((await used(100_000)) - before).toBeLessThan(8 * 1024 * 1024);
  expect((await service.api('host', 'GET', '/v1/sessions')).status).toBe(200);
});

describe.skipIf(missing !== '')(`in a real Envoy${missing && ` (${missing})`}`, () => {
  test('100,000 sessions that come and go leave nothing behind in the guards', async () => {
    const scene = await startScene({ command, version: '' });
    onTestFinished(() => scene.stop());
    await until(() => scene.service.open().length === 3, 'the guards');
    const streams = async (count: number) => {
      const session = openHttp2(scene.ports.http);
      let begun = 0;
      const inTurn = async () => {
        while (begun++ < count) {
          const stream = session.request({ ':path': '/x', 'x-grant': `gr_${begun % 1_000}` });
          await new Promise((resolve) => stream.on('error', resolve).on('close', resolve).resume());
        }
      };
      await Promise.all(Array.from({ length: 50 }, inTurn));
      session.destroy();
    };
    /** Sessions that the service hears of. */
    const connections = async (count: number) => {
      let begun = 0;
      const inTurn = async () => {
        while (begun++ < count) {
          const socket = connectTcp(scene.ports.gate, '127.0.0.1');
          await new Promise((resolve) => socket.on('error', resolve).once('data', resolve).once('close', resolve));
          socket.destroy();
        }
      };
      await Promise.all(Array.from({ length: 20 }, inTurn));
    };
    const cycles = async (count: number) => {
      for (let n = 0; n < 5; n++) await streams((count * 0.8) / 5);
      await connections(count * 0.2);
      await until(() => heartbeats().every(({ sessions }) => sessions === 0), 'the end of all', 20_000);
    };
    const heartbeats = () => scene.service.open().map((contact) => contact.heartbeats.at(-1)!);
    const memory = () => heartbeats().map((beat) => beat.memory);
    await cycles(20_000);
    const before = memory();
    expect(Math.min(...before)).toBeGreaterThan(0);
    await cycles(100_000);
    for (const [i, bytes] of memory().entries()) expect(bytes - before[i]!).toBeLessThanOrEqual(PAGE);
  });
});
