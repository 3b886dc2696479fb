import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemReason } from './system-reason.js';
import type { Findings } from './problem.js';
import { MAX_FILE } from './yaml-text.js';

/** One file of the policy folder as it lies there. */
export interface FolderFile {
  /** As problems call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAX_FILES = 1_000;
/** In bytes, over all files. */
const MAX_TOTAL = 4 * 1024 * 1024;

/** The `*.yaml` and `*.yml` directly in the folder, in the order of their names. Dot files are not looked at. */
export async function listFolder(folder: string, findings: Findings): Promise<FolderFile[]> {
  try {
    const root = await realpath(folder);
    const names = (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
    const policyFiles = names.filter((name) => /\.ya?ml$/.test(name));
    for (const name of names.filter((name) => !policyFiles.includes(name))) {
      findings.warning(
        placeOf(join(folder, name)),
        'not read: only *.yaml and *.yml directly in the policy folder are',
      );
    }
    if (policyFiles.length === 0)
      findings.problem(placeOf(folder), 'expected a file *.yaml in the policy folder, got none');
    if (policyFiles.length > MAX_FILES) {
      findings.problem(placeOf(folder), `expected at most ${MAX_FILES} files, got ${policyFiles.length}`);
      return [];
    }
    return await readAll(folder, root, policyFiles, findings);
  } catch (error) {
    findings.problem(placeOf(folder), `cannot read the policy folder: ${systemReason(error)}`);
    return [];
  }
}

async function readAll(
  folder: string,
  root: string,
  names: readonly string[],
  findings: Findings,
): Promise<FolderFile[]> {
  const sources: FolderFile[] = [];
  let total = 0;
  for (const name of names) {
    const source = await readOne(join(folder, name), join(root, name), root, findings);
    if (!source) continue;
    total += source.bytes.length;
    if (total > MAX_TOTAL) {
      findings.problem(placeOf(folder), `expected at most ${MAX_TOTAL} bytes in all files together, got more`);
      return [];
    }
    sources.push(source);
  }
  return sources;
}

/** Null when the file is not to be read, with the reason among the findings. */
async function readOne(name: string, path: string, root: string, findings: Findings): Promise<FolderFile | null> {
  const place = placeOf(name);
  try {
    // A mounted ConfigMap is made of links within its folder. One that leads out would let whoever may write here
    // choose among all files that the service may read.
    const real = await realpath(path);
    if (!real.startsWith(root + sep)) {
      findings.problem(place, `expected a file in the policy folder, got a link to ${JSON.stringify(real)}`);
      return null;
    }
    // Asked before opening: opening a pipe would wait for its writer.
    const stats = await stat(real);
    if (!stats.isFile()) findings.problem(place, 'expected a file, got a folder or something else');
    else if (stats.size > MAX_FILE)
      findings.problem(place, `expected at most ${MAX_FILE} bytes, got ${stats.size}; split the file`);
    else return { name, bytes: await readFile(real) };
  } catch (error) {
    findings.problem(place, `cannot read the file: ${systemReason(error)}`);
  }
  return null;
}

function placeOf(source: string) {
  return { source, at: null, path: '' };
}
