import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Folder of the checkout. */
export const ROOT = resolve('.');

/** How the compose client is called here: as a plugin of docker, or by itself. */
export type ComposeClient = 'plugin' | 'standalone';

/** The sizes of answers that one may ask for: a whole listing of an image's files among them. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface Outcome {
  /** Exit code; -1 when the program could not be run, or not to its end. */
  readonly code: number;
  readonly stdout: string;
  /** All that was printed. */
  readonly text: string;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], seconds = 60): Outcome {
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: MOST_BYTES, timeout: seconds * 1_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  const said = [stdout, stderr, error?.message].filter((part) => part);
  return { code: status ?? -1, stdout: stdout ?? '', text: said.join('\n') };
}

/**
 * Runs `docker` and gives what it prints, without the last line end.
 *
 * @throws {Error} with all that it says, when it fails
 */
export function docker(...args: readonly string[]): string {
  const { code, stdout, text } = run('docker', args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${text}`);
  return stdout.trimEnd();
}

/** What the engine knows of a container or an image; `format` picks a part of it. */
export function inspect(name: string, format: string): unknown {
  return JSON.parse(docker('inspect', '--format', `{{json ${format}}}`, name));
}

/**
 * The engine to test with, after the base images have been got or built. `missing` says why there is none, and is
 * empty otherwise.
 *
 * @throws {Error} with PORTCULLIS_REQUIRE=docker, when something is missing
 */
export function engineForTests(): { readonly compose: ComposeClient; readonly missing: string } {
  const compose = composeClient();
  const missing = whatIsMissing(compose);
  const required = process.env['PORTCULLIS_REQUIRE']?.split(',').includes('docker');
  if (required && missing !== '') throw new Error(`Docker is required and ${missing}`);
  return { compose: compose ?? 'plugin', missing };
}

function composeClient(): ComposeClient | null {
  if (run('docker', ['compose', 'version']).code === 0) return 'plugin';
  return run('docker-compose', ['version']).code === 0 ? 'standalone' : null;
}

function whatIsMissing(compose: ComposeClient | null): string {
  if (run('docker', ['version']).code !== 0) return 'no Docker engine answers';
  if (compose === null) return 'no compose client is installed';
  const images = run('scripts/base-images.sh', [], 900);
  if (images.code === 0) return '';
  return `the base images cannot be had: ${images.text.trim().split('\n').at(-1)!.replaceAll(/[()]/g, '')}`;
}
