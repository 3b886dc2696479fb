import { known, openMany, pause, type TcpClient } from './client.js';
import type { Figure } from './figure.js';
import { openStage, type Stage } from './stage.js';
import { startCutsUpstream, type CutsUpstream } from './tcp-upstream.js';

/** In one wave; half of them through the gate. */
const SESSIONS = 30;
const LENGTH = '12s';
const BOUND_MS = 150;

/** Figure d: access expires, while the service runs and after it was killed. */
export async function expiries(command: string, waves: number): Promise<readonly Figure[]> {
  const tcp = await startCutsUpstream('echo');
  const stage = await openStage({
    command,
    behind: [
      { name: 'probe', kind: 'gate', upstream: tcp.port, users: 1 },
      { name: 'gate', kind: 'gate', upstream: tcp.port, users: 0 },
      { name: 'plain', kind: 'tcp', upstream: tcp.port, users: 0 },
    ],
  });
  try {
    const figures: Figure[] = [];
    for (const isKilled of [false, true]) {
      const name = `access expires${isKilled ? ', the service killed before' : ''}`;
      const values: number[] = [];
      for (let n = 0; n < waves; n++) {
        console.error(`${name} …`);
        values.push(...(await wave(stage, tcp, isKilled)));
      }
      const early = values.filter((value) => value < 0).length;
      figures.push({ name, unit: 'ms', values, judged: 'max', bound: BOUND_MS, note: `${early} before the end` });
    }
    return figures;
  } finally {
    await stage.stop();
    await tcp.stop();
  }
}

/** Of each session, how long after the end of its access it was cut. */
async function wave(stage: Stage, upstream: CutsUpstream, isKilled: boolean): Promise<number[]> {
  const opened: { readonly client: TcpClient; readonly endsAt: number }[] = [];
  for (let user = 0; user < SESSIONS; user++) {
    const resource = user % 2 === 0 ? 'gate' : 'plain';
    const endsAt = await stage.admin.grant(user, resource, LENGTH);
    const [client] = await openMany([{ home: stage.home, port: stage.portOf(resource), user }], 'first\n');
    opened.push({ client: client!, endsAt });
  }
  if (Date.now() > opened[0]!.endsAt - 1_000)
    throw new Error('this machine is too slow: access ends before all are in');
  if (isKilled) await stage.service().kill();
  const values: number[] = [];
  for (const { client, endsAt } of opened)
    values.push((await known(() => upstream.closedAt(client.connection), 'the end')) - endsAt);
  if (isKilled) await stage.restart();
  await pause(1_000);
  return values;
}
