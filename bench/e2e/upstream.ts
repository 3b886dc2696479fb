import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pin } from '../child/process.js';

/** What the upstream answers everything with. Whatever else comes is an answer of Envoy's own. */
export const WORD = 'upstream';

export interface Upstream {
  readonly port: number;
  stop(): Promise<void>;
}

/** The least that answers, in a process of its own. */
export async function startUpstream(core: number): Promise<Upstream> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  pin(child.pid!, core);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', () => reject(new Error('the upstream ended')));
  });
  return {
    port,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function serve(): void {
  const server = createServer((_request, response) => response.end(WORD));
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

if (process.argv[2] === '--serve' && import.meta.filename === process.argv[1]) serve();
