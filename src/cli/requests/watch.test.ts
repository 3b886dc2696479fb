import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { actorFor } from '../../../test/builders.js';
import { openService, type CliService, type Player } from '../../../test/cli/service.js';
import { Collected, player, shellFor } from '../../../test/cli/typed.js';
import { withdrawRequest } from '../../access/request.js';
import { EXIT } from '../exit-codes.js';
import { run } from '../program.js';

let service: CliService;

beforeAll(async () => {
  service = await openService();
});
afterAll(() => service.close());

/** A command that runs until it is told to end. */
function watching(who: Player, ...words: string[]) {
  const stdout = new Collected(undefined);
  const stderr = new Collected(undefined);
  const hear = new Map<string, () => void>();
  const outside = shellFor({
    stdout,
    stderr,
    cwd: service.folder,
    env: { PORTCULLIS_CONTEXT: `./${who}.yaml` },
    time: { sleep, wall: () => service.clock.read().wall, mono: () => performance.now() },
  });
  const signals = { on: (signal: string, heard: () => void) => void hear.set(signal, heard), endNow: () => undefined };
  const ended = run({ ...outside, signals }, ['requests', '--watch', ...words]);
  onTestFinished(() => hear.get('SIGINT')?.());
  return {
    ended,
    out: () => stdout.text,
    err: () => stderr.text,
    interrupt: () => hear.get('SIGINT')!(),
    lines: () =>
      stdout.text
        .trimEnd()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { id: string; state: string }),
    until: async (enough: () => boolean, ms = 3_000) => {
      const over = performance.now() + ms;
      while (!enough()) {
        if (performance.now() > over) throw new Error(`not within ${ms} ms: ${stdout.text}${stderr.text}`);
        await sleep(10);
      }
    },
  };
}

let count = 0;
const ask = (who: string) => service.ask(who, { justification: `watched ${++count}` });

test('what waits is printed, then what comes within a second and what becomes of it, until Ctrl-C', async () => {
  const before = await ask('alice');
  const bob = watching('bob', '-o', 'json');
  await bob.until(() => bob.lines().length === 1);
  const begun = performance.now();
  const second = await ask('dave');
  await bob.until(() => bob.lines().length === 2, 1_000);
  expect(performance.now() - begun).toBeLessThan(1_000);
  await service.review('frank', second.id);
  await withdrawRequest(service.needed, actorFor('alice'), { id: before.id }, null);
  await bob.until(() => bob.lines().length === 4);
  expect(bob.lines().map(({ id, state }) => [id, state])).toEqual([
    [before.id, 'pending'],
    [second.id, 'pending'],
    [second.id, 'approved'],
    [before.id, 'withdrawn'],
  ]);
  bob.interrupt();
  expect([await bob.ended, bob.err()]).toEqual([EXIT.done, '']);
});

test('whoever reviews nothing sees nothing; with --mine it is the own requests', async () => {
  const [auditor, own] = [watching('erin'), watching('alice', '--mine', '--resource', 'orders-db')];
  await Promise.all([auditor.until(() => auditor.out() !== ''), own.until(() => own.out() !== '')]);
  const { id } = await ask('alice');
  await own.until(() => own.out().includes(id));
  expect(auditor.out()).toMatch(/^REQUEST .*REASON\n$/);
  expect(own.out()).toMatch(new RegExp(`^${id} {2}pending .*orders-db`, 'm'));
  await withdrawRequest(service.needed, actorFor('alice'), { id }, null);
  await own.until(() => own.out().includes('withdrawn'));
});

test('what does not go together is refused', async () => {
  const bob = player(service);
  for (const words of [
    ['--state', 'pending'],
    ['--limit', '3'],
    ['--since', '2026-01-01T00:00:00Z'],
  ]) {
    const { code, err } = await bob('bob', 'requests', '--watch', ...words);
    expect([code, err]).toEqual([EXIT.usage, `error: --watch does not go together with ${words[0]}\n`]);
  }
  expect((await bob('bob', 'requests', '--watch', 'req_00000000000000000000000001')).err).toContain('takes no id');
});

test('a service that cannot be reached in the first place is an error, and so is no permission', async () => {
  const away = watching('bob', '--url', 'https://localhost:1');
  expect([await away.ended, away.err()]).toEqual([EXIT.unreachable, expect.stringContaining('cannot reach')]);
});

/** A way to the service that can be cut. */
async function relay(port: number) {
  const sockets = new Set<Socket>();
  let isUp = true;
  const server = createServer((from) => {
    if (!isUp) {
      from.destroy();
      return;
    }
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one.on('error', () => undefined).on('close', () => other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    cut() {
      isUp = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isUp = true;
    },
  };
}

test('when contact is lost it says so, comes back by itself, and has missed nothing', async () => {
  const way = await relay(Number(new URL(service.url).port));
  const bob = watching('bob', '-o', 'json', '--url', way.url);
  const first = await ask('alice');
  await bob.until(() => bob.lines().length === 1);
  way.cut();
  const second = await ask('alice');
  await withdrawRequest(service.needed, actorFor('alice'), { id: first.id }, null);
  await bob.until(() => /^lost contact: .*; trying again in 0\.5 s\n.*trying again in 1 s\n/.test(bob.err()), 5_000);
  way.mend();
  await bob.until(() => bob.lines().length === 3, 8_000);
  expect(bob.err()).toMatch(/in contact again\n$/);
  expect(bob.lines().map(({ id, state }) => [id, state])).toEqual([
    [first.id, 'pending'],
    [second.id, 'pending'],
    [first.id, 'withdrawn'],
  ]);
}, 20_000);
