import { readFile } from 'node:fs/promises';

/** The session guard in Envoy's folder. A running Envoy keeps the one that it has loaded until it is started again. */
export const GUARD_FILE = 'guard.wasm';

/** Two levels below the package's folder, compiled or not. */
const COMPILED = new URL('../../dist/guard.wasm', import.meta.url);

/**
 * The session guard that belongs to this version, as Envoy loads it.
 *
 * @throws {Error} when it has not been compiled
 */
export async function readGuard(): Promise<Uint8Array> {
  try {
    return await readFile(COMPILED);
  } catch (error) {
    throw new Error('dist/guard.wasm is not there; compile it with npm run build', { cause: error });
  }
}
