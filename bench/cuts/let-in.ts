import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SmallService } from '../../test/guard/real/small-service.js';
import { pin, until } from '../child/process.js';

const START_MS = 20_000;

/** In a process of its own: lets everybody in under one grant, and keeps contact with guards. */
export async function startLetIn(socket: string, core: number): Promise<{ stop(): Promise<void> }> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', socket], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  pin(child.pid!, core);
  await until(() => existsSync(socket), 'whoever lets everybody in', START_MS);
  return {
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

if (process.argv[2] === '--serve' && import.meta.filename === process.argv[1]) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  await new SmallService(`unix:${process.argv[3]!}`).start();
}
