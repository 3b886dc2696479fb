import { openHttp2 } from '../../test/e2e/clients.js';
import { startHttp } from '../../test/protocols/upstreams/http.js';
import { until } from '../child/process.js';
import { pause } from './client.js';
import type { Figure } from './figure.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream } from './tcp-upstream.js';

const OTHERS = ['other-1', 'other-2', 'other-3'];

/** What a stream of another grant may stand still. A tick comes every 20 ms. */
const STANDS_STILL_MS = 1_000;

/** Figure h: streams of one grant are cut, those of other grants on the same HTTP/2 connection go on. */
export async function neighbours(command: string, rounds: number): Promise<readonly Figure[]> {
  const [web, tcp] = [await startHttp(), await startCutsUpstream('echo')];
  const stage = await openStage({
    command,
    behind: [
      { name: 'probe', kind: 'gate', upstream: tcp.port, users: 1 },
      ...['ended', ...OTHERS].map((name) => ({ name, kind: 'http' as const, upstream: web.port, users: rounds })),
    ],
  });
  try {
    console.error('streams of several grants on one connection …');
    const gaps: number[] = [];
    let disturbed = 0;
    for (let user = 0; user < rounds; user++) {
      for (const { gap, isOpen } of await round(stage, user)) {
        gaps.push(gap);
        if (!isOpen) disturbed += 1;
      }
    }
    return [
      {
        name: 'HTTP/2: longest pause of a neighbour',
        unit: 'ms',
        values: gaps,
        judged: 'max',
        bound: STANDS_STILL_MS,
        note: 'beside two streams that are cut; a tick comes every 20 ms',
      },
      {
        name: `HTTP/2: neighbours ended, of ${gaps.length}`,
        unit: 'streams',
        values: [disturbed],
        judged: 'max',
        bound: 0,
      },
    ];
  } finally {
    await stage.stop();
    await web.close();
    await tcp.stop();
  }
}

async function round({ home, admin, portOf }: Stage, user: number) {
  const session = openHttp2({ port: portOf('ended'), ca: home.ca.pem, credential: home.credentialOf(user) });
  const open = (name: string) => {
    const stream = session.request({ ':authority': `${name}.internal`, ':path': '/' });
    let last = 0;
    let ticks = 0;
    let gap = 0;
    let isOpen = true;
    stream.on('error', () => undefined).on('close', () => (isOpen = false));
    stream.on('data', () => {
      const now = performance.now();
      if (last > 0) gap = Math.max(gap, now - last);
      last = now;
      ticks += 1;
    });
    return { ticks: () => ticks, gap: () => Math.max(gap, performance.now() - last), isOpen: () => isOpen };
  };
  const ended = [open('ended'), open('ended')];
  const others = OTHERS.map(open);
  await until(() => [...ended, ...others].every(({ ticks }) => ticks() > 5), 'ticks', 10_000);
  await admin.revoke(home.grantOf(user, 'ended'));
  await until(() => ended.every(({ isOpen }) => !isOpen()), 'the cut', 10_000);
  await pause(150);
  const seen = others.map(({ gap, isOpen }) => ({ gap: gap(), isOpen: isOpen() && !session.destroyed }));
  session.destroy();
  return seen;
}
