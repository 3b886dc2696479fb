import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { readFileSync } from 'node:fs';
import { until } from '../child/process.js';
import { residentMemoryOf } from '../figures/memory.js';
import { known, openMany, pause, type TcpClient } from './client.js';
import type { Figure } from './figure.js';
import { startQuiet } from './quiet-upstream.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream, type CutsUpstream } from './tcp-upstream.js';
import { guardBytesEach } from './vm-memory.js';

/** What one HTTP/2 connection may have open, by our configuration. */
const STREAMS_EACH = 100;

/** Files that Envoy needs besides those of its sessions. */
const SPARE_FILES = 400;

const LOCKED = 1_000;

/**
 * Figures b and c, and memory. All sessions run through one worker thread, and so through one guard. Each session of the gate
 * takes two files of Envoy; where the machine does not let a process have enough, the rest are streams of gRPC.
 */
export async function revokeAmongMany(
  command: string,
  { sessions, rounds, locks }: { readonly sessions: number; readonly rounds: number; readonly locks: number },
): Promise<readonly Figure[]> {
  const streams = Math.max(0, sessions - Math.floor((filesAllowed() - SPARE_FILES) / 2));
  const gated = sessions - streams;
  const inLock = Math.min(LOCKED, Math.floor(gated / 2));
  const [tcp, quiet] = [await startCutsUpstream('echo'), await startQuiet()];
  const stage = await openStage({
    command,
    concurrency: 1,
    behind: [
      { name: 'gate', kind: 'gate', upstream: tcp.port, users: gated - inLock },
      { name: 'locked', kind: 'gate', upstream: tcp.port, users: inLock },
      { name: 'quiet', kind: 'http', upstream: quiet.port, users: Math.ceil(streams / STREAMS_EACH) },
    ],
  });
  try {
    console.error(`${gated} sessions through the gate and ${streams} streams of gRPC …`);
    const empty = memoryOf(stage);
    const many = await openMany(doorsOf(stage, 'gate', gated - inLock));
    let locked = await openMany(doorsOf(stage, 'locked', inLock));
    const filling = await openStreams(stage, streams);
    await until(async () => (await liveOf(stage)) === sessions, `${sessions} sessions`, 60_000);
    const full = memoryOf(stage);
    const each = (which: keyof typeof full) => `${((full[which] - empty[which]) / sessions / 1_024).toFixed(1)} KiB`;
    const revokes = await revokeOneByOne(stage, tcp, many.slice(1, rounds + 1));
    const lost = many.slice(rounds + 1).filter(({ isClosed }) => isClosed()).length;
    if (lost > 0) throw new Error(`${lost} sessions that nobody ended are gone`);
    const locking: number[] = [];
    for (let round = 0; round < locks; round++) {
      if (round > 0) locked = await openMany(doorsOf(stage, 'locked', inLock));
      locking.push(await lockAll(stage, tcp, locked));
    }
    for (const { socket } of [...many, ...locked]) socket.destroy();
    filling.forEach((session) => session.destroy());
    const where = `${gated} through the gate, ${streams} streams of gRPC, one worker thread`;
    return [
      { name: `revoke of one among ${sessions}`, unit: 'ms', values: revokes, judged: 'p99', bound: 50, note: where },
      { name: `lock that hits ${inLock} among ${sessions}`, unit: 'ms', values: locking, judged: 'max', bound: 500 },
      {
        name: `memory of the guard for each of ${sessions}`,
        unit: 'bytes',
        values: [guardBytesEach(sessions)],
        judged: 'max',
        bound: 2_048,
        note: `in the VM; besides, each session costs ${each('envoy')} of Envoy and ${each('service')} of the service`,
      },
    ];
  } finally {
    await stage.stop();
    await tcp.stop();
    await quiet.stop();
  }
}

function doorsOf({ home, portOf }: Stage, resource: string, count: number) {
  return Array.from({ length: count }, (_, user) => ({ home, port: portOf(resource), user }));
}

function memoryOf({ envoy, service }: Stage) {
  return { envoy: envoy.resident(), service: residentMemoryOf(service().pid) * 2 ** 20 };
}

async function liveOf(stage: Stage): Promise<number> {
  await pause(200);
  return Number(/^portcullis_sessions (\d+)/m.exec(await stage.service().metrics())?.[1]);
}

async function revokeOneByOne(stage: Stage, upstream: CutsUpstream, clients: readonly TcpClient[]): Promise<number[]> {
  console.error(`${clients.length} of them are revoked, one after the other …`);
  const values: number[] = [];
  for (const [i, { connection }] of clients.entries()) {
    const { at } = await stage.admin.revoke(stage.home.grantOf(i + 1, 'gate'));
    values.push((await known(() => upstream.closedAt(connection), 'the cut')) - at);
    await pause(Math.random() * 100);
  }
  return values;
}

/** Until the last one is cut. */
async function lockAll({ admin }: Stage, upstream: CutsUpstream, clients: readonly TcpClient[]): Promise<number> {
  console.error(`a lock hits ${clients.length} of them …`);
  const { id, at } = await admin.lock('locked');
  const ends: number[] = [];
  for (const { connection } of clients) ends.push(await known(() => upstream.closedAt(connection), 'the cut'));
  await admin.unlock(id);
  return Math.max(...ends) - at;
}

/** Streams that say nothing after their beginning. */
async function openStreams({ home, portOf }: Stage, count: number): Promise<readonly ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  for (let begun = 0; begun < count; begun += STREAMS_EACH) {
    const { pem: cert, keyPem: key } = home.credentialOf(begun / STREAMS_EACH);
    const tls = { ca: home.ca.pem, cert, key, servername: 'localhost' };
    const session = connectHttp2(`https://127.0.0.1:${portOf('quiet')}`, tls);
    session.on('error', () => undefined);
    sessions.push(session);
    const headers = { ':method': 'POST', ':authority': 'quiet.internal', 'content-type': 'application/grpc' };
    const some = Array.from({ length: Math.min(STREAMS_EACH, count - begun) }, () =>
      session.request({ ...headers, ':path': '/quiet' }, { endStream: false }),
    );
    await Promise.all(some.map(answered));
  }
  return sessions;
}

function answered(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('response', (headers) => {
      const { ':status': status, 'grpc-status': code } = headers;
      if (status === 200 && code === undefined) resolve();
      else reject(new Error(`a stream was answered with ${status} ${String(code)}`));
    });
    stream.resume();
  });
}

/** How many files a process may have open here. Node has raised its own limit, and with it that of its children. */
function filesAllowed(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(text)?.[1] ?? Infinity);
}
