import { fork } from 'node:child_process';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../scene/cache.js';

/**
 * A TCP server in a process of its own: files are counted by process, and ten thousand clients are enough for one. It speaks
 * first: the number of the connection, by which its client knows it.
 */
export interface CutsUpstream {
  readonly port: number;
  /** How many have connected so far. */
  readonly accepts: () => number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** When a connection was closed: milliseconds of the wall clock. */
  closedAt(connection: number): number | undefined;
  stop(): Promise<void>;
}

/** What it does after it has spoken: answer with what comes, or send as much as anybody takes. */
export type Manner = 'echo' | 'flood';

type Told = { readonly port: number } | { readonly opened: number } | { readonly closed: number; readonly at: number };

/** Starts one. */
export async function startCutsUpstream(manner: Manner): Promise<CutsUpstream> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', manner], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Whoever starts it may read TypeScript in another way.
    execArgv: ['--import', join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')],
  });
  const closed = new Map<number, number>();
  let accepts = 0;
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the upstream ended')));
    child.on('message', (told: Told) => {
      if ('port' in told) resolve(told.port);
      else if ('opened' in told) accepts += 1;
      else closed.set(told.closed, told.at);
    });
  });
  return {
    port,
    accepts: () => accepts,
    open: () => accepts - closed.size,
    closedAt: (connection) => closed.get(connection),
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function serve(manner: Manner): void {
  let last = 0;
  const tell = (told: Told) => void process.send!(told);
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = ++last;
    tell({ opened: connection });
    let isOpen = true;
    const over = () => {
      if (isOpen) tell({ closed: connection, at: Date.now() });
      isOpen = false;
    };
    socket.on('end', over).on('error', over).on('close', over);
    socket.write(`${connection}\n`);
    if (manner === 'flood') flood(socket);
    else socket.pipe(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
    tell({ port: (server.address() as AddressInfo).port }),
  );
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

const CHUNK = Buffer.alloc(64 * 1024, 'x');

function flood(socket: Socket): void {
  const more = () => {
    if (socket.writable && socket.write(CHUNK)) setImmediate(more);
  };
  socket.on('drain', more);
  socket.resume();
  more();
}

if (process.argv[2] === '--serve' && import.meta.filename === process.argv[1]) serve(process.argv[3] as Manner);
