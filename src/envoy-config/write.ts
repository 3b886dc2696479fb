import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type EnvoyConfig, type FileName } from './generate.js';

/**
 * Puts the files into a folder that Envoy may be watching. Each appears whole, by a rename, or not at all; one that would
 * not change is left alone. Returns the names of those that were written.
 *
 * A crash between two files leaves Envoy with clusters that nothing uses yet, or routes without a listener: what is new
 * does not work until the next time, and nothing is open that was not.
 */
export async function writeEnvoyConfig(folder: string, { files }: EnvoyConfig): Promise<readonly FileName[]> {
  await mkdir(folder, { recursive: true });
  const written: FileName[] = [];
  for (const name of FILES) {
    if (files[name] === (await contentOf(join(folder, name)))) continue;
    await replace(join(folder, name), files[name]);
    written.push(name);
  }
  return written;
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** On disk before it has its name, so that no power loss leaves an empty file under it. */
async function replace(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
