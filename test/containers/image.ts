import { readFileSync } from 'node:fs';
import { docker, inspect, ROOT, run } from './engine.js';

/** The image that the tests build from the Dockerfile. It stays, so that the next build finds most of it done. */
export const IMAGE = 'portcullis:test';

const BUILD_SECONDS = 600;

/**
 * Builds the image from the Dockerfile as it is.
 *
 * @throws {Error} with what the build says, when it fails
 */
export function buildImage(): void {
  // A stand-in for the base image holds the certificates of this machine, and says where.
  const [, node] = /^ARG NODE_IMAGE=(.+)$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
  const labels = inspect(node!, '.Config.Labels') as Record<string, string> | null;
  const certificates = labels?.['portcullis.certificates'];
  const buildArgs = certificates ? ['--build-arg', `NODE_EXTRA_CA_CERTS=${certificates}`] : [];
  // Where the engine may not write rules for packets, only the network of the host leads out.
  const { code, text } = run(
    'docker',
    ['build', '--network', 'host', ...buildArgs, '--tag', IMAGE, ROOT],
    BUILD_SECONDS,
  );
  if (code !== 0) throw new Error(`the image cannot be built: ${text.slice(-4_000)}`);
}

export interface ImageFile {
  /** As `tar` prints it: `drwxr-xr-x`. */
  readonly mode: string;
  /** Numbers, `user/group`. */
  readonly owner: string;
  /** Without a slash in front; a folder ends in one. */
  readonly path: string;
}

/** All that is in an image. */
export function filesOf(image: string): readonly ImageFile[] {
  // An image without a command cannot become a container.
  const container = docker('create', image, 'nothing');
  try {
    const { code, text, stdout } = run('sh', [
      '-c',
      `docker export ${container} | tar --list --verbose --numeric-owner`,
    ]);
    if (code !== 0) throw new Error(text);
    return stdout.trimEnd().split('\n').map(parseLine);
  } finally {
    docker('rm', '--volumes', container);
  }
}

/** `drwxr-xr-x 0/0   0 2026-01-01 00:00 opt/`, with ` -> elsewhere` behind a link. */
function parseLine(line: string): ImageFile {
  const [mode, owner, , , , ...path] = line.split(/\s+/);
  return { mode: mode!, owner: owner!, path: path.join(' ').replace(/ (->|link to) .*$/, '') };
}
