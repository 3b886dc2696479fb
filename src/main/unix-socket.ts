import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Makes the path of a Unix socket free: what a killed process left behind is removed; what somebody still answers on, and
 * what is no socket, is left alone.
 *
 * @throws {Error} when the path is taken
 */
export async function freeSocketPath(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if (!lstatSync(path).isSocket()) throw new Error(`${path} exists and is no socket; remove it or choose another path`);
  if (await answers(path)) throw new Error(`${path} is in use by another process; stop it or choose another path`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only a refusal is proof that nobody listens; everything else (no permission, say) is taken for somebody.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
