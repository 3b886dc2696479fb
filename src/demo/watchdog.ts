import { spawn } from 'node:child_process';

/** Ends another process when this one is gone, in whatever way: also by SIGKILL, which no process can hear. */
export interface Watchdog {
  /** The other process has ended; its number may be that of somebody else by now. */
  dismiss(): void;
}

/**
 * Waits for one line. Its end without one is the end of whoever held the pipe. SIGTERM first: the client of a container
 * passes it on, and SIGKILL would leave the container.
 */
const SCRIPT = `read -r line && exit
kill -TERM "$1" || exit
for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; kill -0 "$1" || exit; done
kill -KILL "$1"`;

/** Starts to watch over a child of this process. */
export function watchOver(pid: number): Watchdog {
  // In a session of its own: what a terminal sends to all in front of it must not reach this one.
  const dog = spawn('sh', ['-c', SCRIPT, 'sh', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Where there is no shell nobody watches.
  dog.on('error', () => undefined);
  dog.stdin.on('error', () => undefined);
  dog.unref();
  return { dismiss: () => void dog.stdin.end('ended\n') };
}
