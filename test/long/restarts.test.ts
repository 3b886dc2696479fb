import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { known, openClient, openMany, pause } from '../../bench/cuts/client.js';
import type { Listener } from '../../bench/cuts/envoy.js';
import type { Stage } from '../../bench/cuts/stage.js';
import { EXIT } from '../../src/cli/exit-codes.js';
import { PROGRAM } from '../cli/program.js';
import { startClient } from '../protocols/process.js';
import { freePorts, until } from '../e2e/envoy.js';
import { echoes, echoStage, missing } from './stage.js';

describe.skipIf(missing !== '')(`restarts${missing && ` (${missing})`}`, () => {
  test('of Envoy without a gap: old sessions go on under the old one and new ones under the new, and a revoke ends both', async () => {
    const base = String(1_000 + (process.pid % 30_000));
    const drain = ['--drain-time-s', '8', '--parent-shutdown-time-s', '12'];
    const restarting = (epoch: number) => ['--base-id', base, '--restart-epoch', String(epoch), ...drain];
    const { stage, echo } = await echoStage({ gate: 4, plain: 4 }, { restarting: restarting(0) });
    const { home, portOf, admin } = stage;
    const open = (resource: string, user: number) => openClient({ home, port: portOf(resource), user }, 'first\n');
    const old = await Promise.all([open('gate', 1), open('gate', 2), open('plain', 1), open('plain', 2)]);
    const next = await stage.another({ restarting: restarting(1) });
    onTestFinished(() => next.stop());
    await pause(1_500);
    const young = [await open('gate', 1), await open('plain', 1), await open('gate', 3), await open('plain', 3)];
    for (const client of [...old, ...young]) expect(await echoes(client)).toBe(true);
    // One grant, one session in each of the two.
    for (const [i, resource] of ['gate', 'plain'].entries()) {
      const { at, isApplied } = await admin.revoke(home.grantOf(1, resource));
      expect(isApplied).toBe(true);
      for (const { connection } of [old[i * 2]!, young[i]!])
        expect((await known(() => echo.closedAt(connection), 'the cut')) - at).toBeLessThan(500);
    }
    for (const client of [old[1], old[3], young[2]!, young[3]!]) expect(await echoes(client)).toBe(true);
    // The old one takes its last sessions with it, and nobody else's.
    await until(() => old.every(({ isClosed }) => isClosed()), 'the end of the old one', 30_000);
    for (const client of young.slice(2)) expect(await echoes(client)).toBe(true);
    const live = async () => (await admin.sessions('state=live')).length;
    await until(async () => (await live()) === 2, 'two live sessions', 20_000);
  });

  test('of Envoy, killed: its sessions are over for the service within the grace, and another takes its place', async () => {
    const { stage, echo } = await echoStage({ gate: 3 });
    const { home, portOf, admin } = stage;
    const open = (user: number) => openClient({ home, port: portOf('gate'), user });
    const before = await open(1);
    await until(async () => (await admin.sessions('state=live')).length >= 1, 'the session');
    process.kill(stage.envoy.pid, 'SIGKILL');
    await until(before.isClosed, 'the end');
    const next = await stage.another({});
    onTestFinished(() => next.stop());
    const after = await openMany([{ home, port: portOf('gate'), user: 2 }]);
    expect(await echoes(after[0]!)).toBe(true);
    await until(async () => (await admin.sessions('state=live')).length === 1, 'the end of the old one', 25_000);
    const { at } = await admin.revoke(home.grantOf(2, 'gate'));
    expect((await known(() => echo.closedAt(after[0]!.connection), 'the cut')) - at).toBeLessThan(500);
  });

  test('two Envoys under one name: each has its own sessions, a revoke finds the right ones, and the end of one is not that of the other', async () => {
    const { stage, echo } = await echoStage({ gate: 4 });
    const { home, portOf, admin } = stage;
    const { own, http, gate } = await freePorts('own', 'http', 'gate');
    const moved = (listeners: readonly Listener[]) =>
      JSON.parse(JSON.stringify(listeners).replaceAll(`:${portOf('gate')}`, `:${gate}`)) as readonly Listener[];
    const second = await stage.another({ admin: own, http, folder: 'second', adapt: moved });
    onTestFinished(() => second.stop());
    await pause(1_000);
    const here = (user: number) => openClient({ home, port: portOf('gate'), user });
    const there = async (user: number) => (await openMany([{ home, port: gate, user }]))[0]!;
    // One grant that is used through both, and one for each of them.
    const both = [await here(1), await there(1)];
    const [one, other] = [await here(2), await there(3)];
    const { at } = await admin.revoke(home.grantOf(1, 'gate'));
    for (const { connection } of both)
      expect((await known(() => echo.closedAt(connection), 'the cut')) - at).toBeLessThan(500);
    expect([await echoes(one), await echoes(other)]).toEqual([true, true]);
    await second.stop();
    await until(other.isClosed, 'the end of the second');
    await pause(2_000);
    expect(await echoes(one)).toBe(true);
  });

  test('of the service, killed, with a person’s connect among its sessions: all go on, and a later revoke ends them', async () => {
    const { stage, echo } = await echoStage({ gate: 40, plain: 40 });
    const { home, portOf, admin } = stage;
    const doors = ['gate', 'plain'].flatMap((resource) =>
      Array.from({ length: 40 }, (_, user) => ({ home, port: portOf(resource), user })),
    );
    const clients = await openMany(doors, 'first\n');
    const person = await connected(stage, 5);
    await until(async () => (await admin.sessions('state=live')).length >= 50, 'the sessions');
    await stage.service().kill();
    for (const client of clients) expect(await echoes(client)).toBe(true);
    expect(await person.echoes()).toBe(true);
    await pause(3_000);
    await stage.restart();
    // As soon as a guard is back, which it tries for every two seconds at least.
    await until(async () => (await admin.revoke(home.grantOf(39, 'gate'))).isApplied, 'the guards', 5_000);
    await known(() => echo.closedAt(clients[39]!.connection), 'the cut');
    await pause(16_000);
    expect(await Promise.all(clients.filter((_, i) => i !== 39).map(echoes))).toEqual(Array(79).fill(true));
    for (const [i, resource] of ['gate', 'plain'].entries()) {
      const { at } = await admin.revoke(home.grantOf(7, resource));
      const { connection } = clients[i * 40 + 7]!;
      expect((await known(() => echo.closedAt(connection), 'the cut')) - at).toBeLessThan(500);
    }
    expect(await person.echoes()).toBe(true);
    await admin.revoke(home.grantOf(5, 'gate'));
    const { code, err } = await person.ended;
    expect({ code, err }).toEqual({
      code: EXIT.notPermitted,
      err: expect.stringMatching(/^error: the session to gate was cut: revoked: /m) as string,
    });
  });
});

/** A user's `portcullis connect`, with something that goes through it. */
async function connected({ home, portOf, api }: Stage, user: number) {
  const { pem, keyPem } = home.credentialOf(user);
  writeFileSync(home.file('user.crt'), pem);
  writeFileSync(home.file('user.key'), keyPem, { mode: 0o600 });
  writeFileSync(
    home.file('user.yaml'),
    `url: https://localhost:${api}\nca: ./ca.crt\ncert: ./user.crt\nkey: ./user.key\n`,
  );
  const [node, ...program] = PROGRAM;
  const words = ['connect', 'gate', '--listen', '127.0.0.1:0', '--via', `localhost:${portOf('gate')}`];
  const env = { PATH: process.env['PATH']!, HOME: home.folder, PORTCULLIS_CONTEXT: home.file('user.yaml') };
  const running = startClient(node, [...program, ...words], { cwd: home.folder, env });
  onTestFinished(() => void running.child.kill('SIGKILL'));
  const [, port] = /^127\.0\.0\.1:(\d+)$/m.exec(await running.printed(/^127\.0\.0\.1:\d+$/m))!;
  const socket = connectTcp(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  let received = 0;
  socket.on('data', (data) => (received += data.length));
  await until(() => received > 0, 'the banner');
  return {
    ended: running.ended,
    async echoes(): Promise<boolean> {
      const before = received;
      socket.write('x');
      await until(() => received > before || socket.destroyed, 'the echo');
      return !socket.destroyed;
    },
  };
}
