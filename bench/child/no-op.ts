import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scene/cache.js';
import type { Home } from '../scene/home.js';
import { startChild, until, type Child } from './process.js';

const START_MS = 20_000;

/** The server to compare with: see no-op.mjs. */
export async function startNoOp(home: Home, core: number | null): Promise<Child & { readonly socket: string }> {
  const socket = home.file('run/no-op.sock');
  const child = startChild({
    command: process.execPath,
    args: [join(ROOT, 'bench/no-op.mjs'), `unix:${socket}`],
    cwd: home.folder,
    logFile: home.file('log/no-op.log'),
    core,
  });
  await until(
    () => {
      child.assertRunning();
      return existsSync(socket);
    },
    'the no-op server',
    START_MS,
  );
  return { ...child, socket };
}
