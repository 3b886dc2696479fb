import { readFileSync } from 'node:fs';
import { until } from '../child/process.js';
import { dial, known, openClient, openMany, pause, type Door, type TcpClient } from './client.js';
import type { Figure } from './figure.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream, type CutsUpstream } from './tcp-upstream.js';

/** Figure f: a client of the gate that has stopped reading is cut all the same. */
export async function revokeOfStalled(command: string, rounds: number): Promise<readonly Figure[]> {
  const flood = await startCutsUpstream('flood');
  const stage = await openStage({
    command,
    behind: [{ name: 'flood', kind: 'gate', upstream: flood.port, users: rounds + 1 }],
  });
  try {
    console.error('clients that have stopped reading …');
    const results: Stalled[] = [];
    for (let user = 1; user <= rounds; user++) results.push(await stalledRound(stage, flood, user));
    const late = results.map(({ reached }) => reached / 1_024);
    return [
      {
        name: 'revoke, the client not reading, gate',
        unit: 'ms',
        values: results.map(({ closedAfter }) => closedAfter),
        judged: 'p99',
        bound: 50,
      },
      {
        name: 'what such a client can read after the cut',
        unit: 'KiB',
        values: results.map(({ readAfter }) => readAfter / 1_024),
        judged: 'max',
        bound: 256,
        note: `with what had reached its machine before; of it after the cut: ${Math.max(...late).toFixed(0)} KiB at most`,
      },
    ];
  } finally {
    await stage.stop();
    await flood.stop();
  }
}

/** Of one client: milliseconds until its upstream was closed, and bytes. */
interface Stalled {
  readonly closedAfter: number;
  /** Came to the client's machine after the cut. */
  readonly reached: number;
  /** What the client could still read, whenever it came. */
  readonly readAfter: number;
}

async function stalledRound(stage: Stage, upstream: CutsUpstream, user: number): Promise<Stalled> {
  const door = { home: stage.home, port: stage.portOf('flood'), user };
  const client = await stall(door);
  const before = waitingBytes(client);
  const alreadyRead = client.received();
  const { at } = await stage.admin.revoke(stage.home.grantOf(user, 'flood'));
  const closedAfter = (await known(() => upstream.closedAt(client.connection), 'the cut')) - at;
  await pause(50);
  client.socket.resume();
  await until(client.isClosed, 'the end', 10_000);
  const readAfter = client.received() - alreadyRead;
  return { closedAfter, reached: Math.max(0, readAfter - before), readAfter };
}

/** Opens a session, reads the beginning and no more, until nothing moves any more. */
async function stall(door: Door): Promise<TcpClient> {
  const client = await openClient(door);
  client.socket.pause();
  let last = -1;
  for (let same = 0; same < 3;) {
    await pause(50);
    const now = waitingBytes(client);
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return client;
}

/** Bytes that have come to the client's machine, and that the client has not read: in the kernel, and in Node. */
function waitingBytes({ socket }: TcpClient): number {
  const port = socket.localPort!.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((text) => text.slice(0, 40).includes(`:${port} `) && text.trim().split(/\s+/)[1]!.endsWith(`:${port}`));
  const [, queue] = line!.trim().split(/\s+/)[4]!.split(':');
  return parseInt(queue!, 16) + socket.readableLength;
}

/** Session whose owner does nothing wrong: longest wait for an echo, in milliseconds. */
interface Bystander {
  readonly end: () => number;
}

const TICK_MS = 20;

/** Figure g: a crowd before one worker thread. */
export async function crowd(
  command: string,
  { stalled, refused }: { readonly stalled: number; readonly refused: number },
): Promise<readonly Figure[]> {
  const [echo, flood] = [await startCutsUpstream('echo'), await startCutsUpstream('flood')];
  const watched = 5;
  const stage = await openStage({
    command,
    concurrency: 1,
    behind: [
      { name: 'gate', kind: 'gate', upstream: echo.port, users: watched },
      { name: 'flood', kind: 'gate', upstream: flood.port, users: stalled },
    ],
  });
  try {
    const { home, portOf } = stage;
    const door = (resource: string, user: number): Door => ({ home, port: portOf(resource), user });
    const bystanders = (await openMany(Array.from({ length: watched }, (_, user) => door('gate', user)))).map(watch);
    console.error(`${stalled} clients stop reading, ${refused} are refused …`);
    const crowd = await openMany(Array.from({ length: stalled }, (_, user) => door('flood', user)));
    for (const { socket } of crowd) socket.pause();
    await pause(1_000);
    // Nobody has granted these anything.
    const strangers = Array.from({ length: refused }, () => door('gate', watched));
    let heard = 0;
    await inTurns(strangers, 100, async (one) => {
      const socket = dial(one);
      socket.on('data', () => (heard += 1));
      await new Promise((resolve) => socket.once('close', resolve));
    });
    if (heard > 0) throw new Error(`${heard} strangers heard something`);
    await pause(2_000);
    const [resident, allocated] = [stage.envoy.resident() / 1e6, (await stage.envoy.allocated()) / 1e6];
    const ended = crowd.filter(({ isClosed }) => isClosed()).length;
    const waits = bystanders.map(({ end }) => end());
    for (const { socket } of crowd) socket.destroy();
    const note = `of ${watched} bystanders with an echo every ${TICK_MS} ms; of the stalled sessions ${ended} have ended`;
    return [
      { name: `crowd: longest wait of a bystander`, unit: 'ms', values: waits, judged: 'max', bound: 1_000, note },
      {
        name: 'crowd: memory of Envoy',
        unit: 'MB',
        values: [resident],
        judged: 'max',
        bound: 400,
        note: `resident; allocated as Envoy counts it: ${allocated.toFixed(0)} MB`,
      },
    ];
  } finally {
    await stage.stop();
    await echo.stop();
    await flood.stop();
  }
}

async function inTurns<T>(all: readonly T[], atOnce: number, act: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < all.length) await act(all[next++]!);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

function watch({ socket, isClosed }: TcpClient): Bystander {
  let since: number | null = null;
  let longest = 0;
  const look = () => {
    if (since !== null) longest = Math.max(longest, performance.now() - since);
  };
  socket.on('data', () => {
    look();
    since = null;
  });
  const timer = setInterval(() => {
    if (since !== null) return;
    since = performance.now();
    socket.write('.');
  }, TICK_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      const longestOfAll = isClosed() ? Infinity : longest;
      socket.destroy();
      return longestOfAll;
    },
  };
}
