import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FILES, type EnvoyConfig } from './generate.js';
import { GUARD_FILE } from './guard-file.js';

/**
 * Puts the files and the session guard into a folder that Envoy may be watching. Each appears whole, by a rename, or not at all; one that would
 * not change is left alone. Returns the names of those that were written.
 *
 * A crash between two files leaves Envoy with clusters that nothing uses yet, or routes without a listener: what is new
 * does not work until the next time, and nothing is open that was not.
 */
export async function writeEnvoyConfig(
  folder: string,
  { files }: EnvoyConfig,
  guard: Uint8Array,
): Promise<readonly string[]> {
  await makeFolder(folder);
  const contents = [[GUARD_FILE, guard] as const, ...FILES.map((name) => [name, Buffer.from(files[name])] as const)];
  const written: string[] = [];
  for (const [name, content] of contents) {
    if ((await contentOf(join(folder, name)))?.equals(content)) continue;
    await replace(join(folder, name), content);
    written.push(name);
  }
  return written;
}

/**
 * With whatever lies above it. Not by Node's own recursion: where a folder is there and takes nothing, as below /proc, that
 * goes round in a circle for good.
 */
async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another writer may have been faster.
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function contentOf(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** On disk before it has its name, so that no power loss leaves an empty file under it. */
async function replace(path: string, content: Uint8Array): Promise<void> {
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
