import { known, openMany, pause } from './client.js';
import type { Figure } from './figure.js';
import { openStage } from './stage.js';
import { startCutsUpstream } from './tcp-upstream.js';

const GRACE_MS = 15_000;

/** How long the service is away when it comes back. */
const AWAY_MS = 5_000;

/** Figure e: the service goes away, once for a while and once for good. The contact grace is the default. */
export async function contactLost(command: string, sessions: number): Promise<readonly Figure[]> {
  const tcp = await startCutsUpstream('echo');
  const users = Math.ceil(sessions / 2);
  const stage = await openStage({
    command,
    behind: [
      { name: 'gate', kind: 'gate', upstream: tcp.port, users },
      { name: 'plain', kind: 'tcp', upstream: tcp.port, users },
    ],
  });
  try {
    const doors = ['gate', 'plain'].flatMap((resource) =>
      Array.from({ length: users }, (_, user) => ({ home: stage.home, port: stage.portOf(resource), user })),
    );
    const clients = await openMany(doors, 'first\n');
    const cut = () => clients.filter(({ connection }) => tcp.closedAt(connection) !== undefined).length;
    console.error(`${clients.length} sessions; the service is killed, and comes back …`);
    await pause(2_000);
    await stage.service().kill();
    await pause(AWAY_MS);
    await stage.restart();
    await pause(GRACE_MS + 3_000);
    const lost = cut();
    console.error('the service is killed for good …');
    const killedAt = Date.now();
    await stage.service().kill();
    const values: number[] = [];
    for (const { connection } of clients) {
      if (cut() > lost || values.length === 0) await pause(1);
      values.push((await known(() => tcp.closedAt(connection), 'the cut', GRACE_MS + 10_000)) - killedAt);
    }
    const note = `the grace of ${GRACE_MS} ms begins with the last word of the service`;
    return [
      {
        name: `restart within the grace, of ${clients.length} cut`,
        unit: 'sessions',
        values: [lost],
        judged: 'max',
        bound: 0,
      },
      { name: 'contact lost for good', unit: 'ms', values, judged: 'max', bound: GRACE_MS + 1_000, note },
    ];
  } finally {
    await stage.stop();
    await tcp.stop();
  }
}
