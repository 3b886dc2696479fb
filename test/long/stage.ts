import { onTestFinished } from 'vitest';
import type { TcpClient } from '../../bench/cuts/client.js';
import { openStage, type Stage, type StageStart } from '../../bench/cuts/stage.js';
import { startCutsUpstream, type CutsUpstream } from '../../bench/cuts/tcp-upstream.js';
import { envoysForTests, until } from '../e2e/envoy.js';

const found = await envoysForTests();

/** Why nothing can be played with a real Envoy here; empty when it can. */
export const missing = found.missing;

/** The newest. */
export const { command } = found.envoys.at(-1)!;

/** The stage of bench:cuts with one echo behind everything, until the end of the test. Users have a grant for each resource. */
export async function echoStage(
  users: Readonly<Record<string, number>>,
  more: Partial<StageStart> = {},
): Promise<{ readonly stage: Stage; readonly echo: CutsUpstream }> {
  const echo = await startCutsUpstream('echo');
  onTestFinished(() => echo.stop());
  const behind = Object.entries(users).map(([name, count]) => ({
    name,
    kind: name.startsWith('plain') ? ('tcp' as const) : ('gate' as const),
    upstream: echo.port,
    users: count,
  }));
  const stage = await openStage({ command, behind, ...more });
  onTestFinished(() => stage.stop());
  return { stage, echo };
}

/** Whether what is sent comes back. */
export async function echoes(client: TcpClient): Promise<boolean> {
  if (client.isClosed()) return false;
  const before = client.received();
  client.socket.write('x');
  await until(() => client.received() > before || client.isClosed(), 'the echo');
  return !client.isClosed();
}
