import { STREAMS, type StreamKind } from '../../test/protocols/streams.js';
import type { StreamingUpstream } from '../../test/protocols/upstreams/upstream.js';
import { until } from '../child/process.js';
import { known, openClient, pause } from './client.js';
import type { Figure } from './figure.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream, type CutsUpstream } from './tcp-upstream.js';

const BOUND_MS = 50;

/** Figure a: one session is revoked, for each protocol, and once more. */
export async function revokeOfOne(command: string, rounds: number): Promise<readonly Figure[]> {
  const tcp = await startCutsUpstream('echo');
  const streaming = await Promise.all(STREAMS.map(({ start }) => start()));
  const users = rounds;
  const stage = await openStage({
    command,
    behind: [
      { name: 'gate', kind: 'gate', upstream: tcp.port, users: users + 1 },
      { name: 'plain', kind: 'tcp', upstream: tcp.port, users },
      ...STREAMS.map(({ resource }, i) => ({
        name: resource,
        kind: 'http' as const,
        upstream: streaming[i]!.port,
        users,
      })),
    ],
  });
  try {
    const figures: Figure[] = [];
    for (const [i, kind] of STREAMS.entries())
      figures.push(await figureOf(kind.name, rounds, (user) => streamRound(stage, kind, streaming[i]!, user)));
    figures.push(await figureOf('TCP through the gate', rounds, (user) => tcpRound(stage, tcp, 'gate', user)));
    figures.push(await figureOf('TCP, network filter', rounds, (user) => tcpRound(stage, tcp, 'plain', user)));
    return figures;
  } finally {
    await stage.stop();
    await tcp.stop();
    for (const upstream of streaming) await upstream.close();
  }
}

async function figureOf(name: string, rounds: number, round: (user: number) => Promise<number>): Promise<Figure> {
  console.error(`one session, ${name} …`);
  const values: number[] = [];
  // From 1 on: the stage has used the first one to see that all is up.
  for (let user = 1; user < rounds; user++) {
    values.push(await round(user));
    await pause(Math.random() * 20);
  }
  return { name: `revoke of one session, ${name}`, unit: 'ms', values, judged: 'p99', bound: BOUND_MS };
}

async function streamRound(
  { home, admin, portOf }: Stage,
  { resource, open }: StreamKind,
  upstream: StreamingUpstream,
  user: number,
): Promise<number> {
  const peer = { port: portOf(resource), ca: home.ca.pem, credential: home.credentialOf(user) };
  const stream = open(peer, `${resource}.internal`);
  await until(() => stream.ticks() > 2, 'ticks', 10_000);
  const { at } = await admin.revoke(home.grantOf(user, resource));
  await until(() => upstream.open() === 0, 'the cut', 10_000);
  const closedAt = upstream.lastClosedAt() + (Date.now() - performance.now());
  await stream.ended;
  return closedAt - at;
}

async function tcpRound(stage: Stage, upstream: CutsUpstream, resource: string, user: number): Promise<number> {
  const { home, admin, portOf } = stage;
  const { connection, socket } = await openClient({ home, port: portOf(resource), user }, 'first\n');
  await pause(50);
  const { at } = await admin.revoke(home.grantOf(user, resource));
  const closedAt = await known(() => upstream.closedAt(connection), 'the cut');
  socket.destroy();
  return closedAt - at;
}
