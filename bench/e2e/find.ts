import { join } from 'node:path';
import { findEnvoy } from '../../src/demo/find-envoy.js';
import { ROOT } from '../scene/cache.js';

/** @throws {Error} where no Envoy runs as a process of this machine */
export async function findEnvoyHere(): Promise<{ readonly command: string; readonly version: string }> {
  const found = await findEnvoy({
    given: process.env['ENVOY_BIN'] ?? null,
    path: process.env['PATH']!,
    cache: join(ROOT, '.cache'),
    progress: (message) => console.error(message),
  });
  if (found.kind === 'binary') return found;
  throw new Error(found.kind === 'none' ? found.advice : 'Envoy is there in Docker only; name a binary in ENVOY_BIN');
}
